"""Keeping the search index close behind the log.

Rules of this file: the indexer lives in a thread of its own. A reader asks for a moment's catching up first, so that
what just happened is found; when that cannot be done in time it reads what there is.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from agent.log.index import Indexer, IndexRoomError
from rules.text import Text
from rules.visible import visible

_PATIENCE = 2.0  # seconds a reader waits for the index


class BackgroundIndexer:
    """The indexer of one agent, for any thread."""

    def __init__(self, log: Path, index: Path) -> None:
        self._indexer = Indexer(log, index)
        self._thread = ThreadPoolExecutor(1, "index")
        self.trouble: Text | None = None  # why the last attempt failed, for ``doctor``

    def step(self, seconds: float) -> "Future[int]":
        """Start indexing for at most *seconds*; the result is the number of entries, 0 also when it failed."""
        return self._thread.submit(self._step, seconds)

    def fresh(self) -> None:
        """Catch up before a question about the log."""
        with suppress(TimeoutError):
            self.step(_PATIENCE).result(_PATIENCE)

    def close(self) -> None:
        """Close the index."""
        self._thread.submit(self._indexer.close)
        self._thread.shutdown()

    def _step(self, seconds: float) -> int:
        try:
            done = self._indexer.catch_up(seconds)
        except (OSError, sqlite3.Error) as error:  # a full disk: the record is safe, and the next step goes on
            said = visible(str(error))
            self.trouble = error.text if isinstance(error, IndexRoomError) else Text(said, said)
            return 0
        self.trouble = None
        return done
