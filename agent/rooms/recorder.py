"""Entries of doors: before a strike is released on the way in, and whatever happens, never in the way of the way out.

Rules of this file:
- an entry that is not confirmed in time counts as not written: nothing is released on it (contract C2). It may still
  reach the log later, so whoever asked says afterwards that nothing was released;
- somebody who wants out waits for his entry a moment and no longer;
- an entry nothing waited for that could not be written is counted, and the count is written before the next entry, as
  the decider does for files;
- one thread appends, in the order asked; what waits for it is bounded.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any

from agent.errors import ShoumiError, UnreachableError
from agent.rooms import entries
from agent.runtime.audit_writer import AuditWriter
from rules.text import Text

IN_SECONDS = 2.0  # as long as a successor of a killed decider needs, and a slow disk
OUT_SECONDS = 0.3
_WAITING = 500


class Recorder:
    """Appends through *decider*. Any thread may ask."""

    def __init__(self, decider: AuditWriter, now: Callable[[], datetime]) -> None:
        self._decider = decider
        self._now = now
        self._thread = ThreadPoolExecutor(1, "door-entries")
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(_WAITING)
        self._lost = 0
        self._since = ""

    def entry(self, fields: Mapping[str, Any], seconds: float = IN_SECONDS) -> int:
        """Append, and return the number of the entry. Raises :class:`ShoumiError`: it is not known to be written."""
        written = self._thread.submit(self._append, fields)
        try:
            return written.result(seconds)
        except TimeoutError:
            written.cancel()
            raise UnreachableError(
                Text("the entry was not confirmed in time", "未在规定时间内确认日志条目"),
                Text("nothing was released; see `shoumi doctor`", "未放行；请运行 `shoumi doctor`"),
            ) from None

    def out(self, fields: Mapping[str, Any]) -> bool:
        """Append the entry of a way out; return whether it is written by now. What fails for good is counted."""
        written = self.later(fields)
        if written is None:
            return False
        try:
            written.result(OUT_SECONDS)
        except (TimeoutError, ShoumiError):
            return False
        return True

    def later(self, fields: Mapping[str, Any]) -> "Future[int] | None":
        """Append when its turn comes; ``None``, and counted, when too many wait for theirs."""
        if not self._room.acquire(blocking=False):
            self._miss()
            return None
        written = self._thread.submit(self._append, fields)
        written.add_done_callback(self._done)
        return written

    def renew(self, epoch: int) -> None:
        """Have the decider forget its verdicts, in turn: who is inside a room matters for files as well."""
        self._thread.submit(self._decider.epoch, epoch)

    def flush(self) -> None:
        """Wait until everything asked for before is written, but not for a decider that does not answer."""
        with suppress(TimeoutError):
            self._thread.submit(int).result(IN_SECONDS)

    def close(self) -> None:
        """Write what was asked for, and end; a decider that does not answer holds this up for a moment only."""
        self.flush()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _append(self, fields: Mapping[str, Any]) -> int:
        self._own_up()
        return self._decider.append(fields)

    def _own_up(self) -> None:
        with self._turn:
            lost, since = self._lost, self._since
        if lost:
            self._decider.append(entries.gap(lost, since))
            with self._turn:
                self._lost -= lost

    def _done(self, written: "Future[int]") -> None:
        self._room.release()
        if written.cancelled() or written.exception() is not None:
            self._miss()

    def _miss(self) -> None:
        with self._turn:
            self._since = self._since if self._lost else self._now().isoformat()
            self._lost += 1
