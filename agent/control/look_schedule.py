"""Scan schedule: when the next scan of all holders is due, soon after a change, with a bounded share of the time.

Rules of this file: pure; instants are seconds of one monotonic clock. A scan follows a change after a short delay, and
waits while cuts are under way: cuts go first, because scans and cuts share one process. No change waits longer than a
bound. Where the scan itself ends the holding (of a service account, or when the losers are unknown), it is requested
and waits for nothing.
"""

import threading

from agent.runtime.time_share import TimeShare

AFTER = 0.3  # seconds from a change to the scan
BETWEEN = 10.0  # … at most
_PARTS = 5  # at most one part in this many of the time goes into scans during a series of changes


class LookSchedule:
    """State of the schedule. For the thread of scans; :meth:`ask` is for any thread."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._changed_at: float | None = None
        self._share = TimeShare(_PARTS, BETWEEN)

    @property
    def changed(self) -> bool:
        """Return whether a change has not been followed by a scan yet."""
        return self._changed_at is not None or self._requested.is_set()

    @property
    def rests_until(self) -> float:
        """The instant until which only requested scans run."""
        return self._share.rests_until

    def ask(self) -> None:
        """Request an immediate scan."""
        self._requested.set()

    def change(self, now: float) -> None:
        """Record a change."""
        if self._changed_at is None:
            self._changed_at = now

    def due(self, now: float, *, cutting: bool) -> bool:
        """Return whether a scan is due because of a change. *cutting*: cuts are under way."""
        if self._requested.is_set():
            return True
        if self._changed_at is None:
            return False
        return now >= self._changed_at + (BETWEEN if cutting else AFTER) and not self._share.rests(now)

    def begin(self) -> None:
        """Begin a scan: it covers every change until now."""
        self._requested.clear()
        self._changed_at = None

    def end(self, began: float, now: float) -> None:
        """End the scan that *began* then."""
        self._share.spent(began, now)
