"""When the next look at all holders is due: soon after a change; of the time in a series of changes it takes a part.

Rules of this file: pure; instants are seconds of one clock that never goes back. A look follows a change by a moment,
and waits while cuts are under way: whom the change itself cuts goes first, and looks and cuts are work of one process.
No change waits longer than a bound. Where the look itself is what ends the holding (of a service, or when it is not
known who lost what), somebody asks for it, and it waits for nothing.
"""

import threading

from agent.runtime.time_share import TimeShare

AFTER = 0.3  # seconds from a change to the look
BETWEEN = 10.0  # … and at the most
_PARTS = 5  # one of so many of the time goes into looks in a series of changes


class LookSchedule:
    """What is known of one look after another. For the thread of looks, but :meth:`ask` is for any."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._changed_at: float | None = None
        self._share = TimeShare(_PARTS, BETWEEN)

    @property
    def changed(self) -> bool:
        """Whether there is a change that no look has followed yet."""
        return self._changed_at is not None or self._asked.is_set()

    @property
    def rests_until(self) -> float:
        """Until when nothing but what was asked for is looked at."""
        return self._share.rests_until

    def ask(self) -> None:
        """Ask for a look that waits for nothing."""
        self._asked.set()

    def change(self, now: float) -> None:
        """Take note that there was a change."""
        if self._changed_at is None:
            self._changed_at = now

    def due(self, now: float, *, cutting: bool) -> bool:
        """Whether a look is due for the sake of a change. *cutting*: cuts are under way."""
        if self._asked.is_set():
            return True
        if self._changed_at is None:
            return False
        return now >= self._changed_at + (BETWEEN if cutting else AFTER) and not self._share.rests(now)

    def begin(self) -> None:
        """Begin a look: every change until now is before it."""
        self._asked.clear()
        self._changed_at = None

    def end(self, began: float, now: float) -> None:
        """End the look that *began* then."""
        self._share.spent(began, now)
