"""Recorder of door entries: it confirms an entry before admission, and never delays an exit.

Rules of this file:
- an entry that is not confirmed in time counts as not written: nothing is released on it (contract C2). It may still
  reach the log later, so the caller then records that nothing was released;
- an exit waits a moment for its entry and no longer;
- an entry without a waiting caller that could not be written is counted, and the count is written before the next
  entry, as the decider does for files;
- one thread appends, in the order of calls; its queue is bounded.
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
from rules.text import Message

IN_SECONDS = 2.0  # enough for the successor of a killed decider, or a slow disk
OUT_SECONDS = 0.3
_WAITING = 500


class Recorder:
    """Appends entries through *decider*. For any thread."""

    def __init__(self, decider: AuditWriter, now: Callable[[], datetime]) -> None:
        self._decider = decider
        self._now = now
        self._thread = ThreadPoolExecutor(1, "door-entries")
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(_WAITING)
        self._lost = 0
        self._since = ""

    def entry(self, fields: Mapping[str, Any], seconds: float = IN_SECONDS) -> int:
        """Append an entry; return its number. Raises :class:`ShoumiError` when it is not confirmed as written."""
        written = self._thread.submit(self._append, fields)
        try:
            return written.result(seconds)
        except TimeoutError:
            written.cancel()
            raise UnreachableError(
                Message("rooms.entry-unconfirmed"),
                Message("rooms.not-released-run-doctor"),
            ) from None

    def out(self, fields: Mapping[str, Any]) -> bool:
        """Append the entry of an exit; return whether it is written by now. Final failures are counted."""
        written = self.later(fields)
        if written is None:
            return False
        try:
            written.result(OUT_SECONDS)
        except (TimeoutError, ShoumiError):
            return False
        return True

    def later(self, fields: Mapping[str, Any]) -> "Future[int] | None":
        """Queue an entry; return ``None``, and count it, when the queue is full."""
        if not self._room.acquire(blocking=False):
            self._miss()
            return None
        written = self._thread.submit(self._append, fields)
        written.add_done_callback(self._appended)
        return written

    def renew(self, epoch: int) -> None:
        """Queue a reset of the decider's cached verdicts: presence in a room matters for files as well."""
        self._thread.submit(self._decider.epoch, epoch)

    def flush(self) -> None:
        """Wait until all queued entries are written, but not for a decider that does not answer."""
        with suppress(TimeoutError):
            self._thread.submit(int).result(IN_SECONDS)

    def close(self) -> None:
        """Write the queued entries and stop; a decider that does not answer delays this for a moment only."""
        self.flush()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _append(self, fields: Mapping[str, Any]) -> int:
        self._write_gap_entry()
        return self._decider.append(fields)

    def _write_gap_entry(self) -> None:
        with self._turn:
            lost, since = self._lost, self._since
        if lost:
            self._decider.append(entries.gap(lost, since))
            with self._turn:
                self._lost -= lost

    def _appended(self, written: "Future[int]") -> None:
        self._room.release()
        if written.cancelled() or written.exception() is not None:
            self._miss()

    def _miss(self) -> None:
        with self._turn:
            self._since = self._since if self._lost else self._now().isoformat()
            self._lost += 1
