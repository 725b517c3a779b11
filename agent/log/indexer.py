"""The background indexer, which keeps the search index close behind the log.

Rules of this file: the indexer lives in a thread of its own. A reader requests catching up first, so that the latest
entries are found; when that takes too long it reads the present index.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from agent.log.index import Indexer, IndexRoomError
from rules.text import Sentence, foreign
from rules.visible import visible

_PATIENCE = 2.0  # seconds a reader waits for the index


class BackgroundIndexer:
    """The indexer of one agent, for any thread."""

    def __init__(self, log: Path, index: Path) -> None:
        self._indexer = Indexer(log, index)
        self._thread = ThreadPoolExecutor(1, "index")
        self.trouble: Sentence | None = None  # why the last attempt failed, for ``doctor``

    def step(self, seconds: float) -> "Future[int]":
        """Start indexing for at most *seconds*; the result is the number of entries, 0 also when it failed."""
        return self._thread.submit(self._step, seconds)

    def fresh(self) -> None:
        """Catch up before a query of the log."""
        with suppress(TimeoutError):
            self.step(_PATIENCE).result(_PATIENCE)

    def close(self) -> None:
        """Close the index."""
        self._thread.submit(self._indexer.close)
        self._thread.shutdown()

    def _step(self, seconds: float) -> int:
        try:
            indexed = self._indexer.catch_up(seconds)
        except (OSError, sqlite3.Error) as error:  # a full disk: the record is safe, and the next step continues
            message = visible(str(error))
            self.trouble = error.text if isinstance(error, IndexRoomError) else foreign(message)
            return 0
        self.trouble = None
        return indexed
