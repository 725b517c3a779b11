"""When something came: since when at the latest what the event loop finds ready must have been there.

Rules of this file: no clock of the kernel says when bytes reached a unix socket. What a look finds that did not have to
wait came after the look before it, and is taken to have come right then: whoever is told how long they waited is told
too much rather than too little, and the time the loop itself was late is in it.
"""

import asyncio
import selectors
import time
from typing import NamedTuple


class CallArrival(NamedTuple):
    """Between which instants (``time.monotonic``) the first bytes of something came: they were ``read`` at the second.

    What a caller waited counts from the first, so that it is never too little. A receipt says the second: nothing was
    received before it was sent.
    """

    since: float
    read: float


class _WatchfulSelector(selectors.DefaultSelector):
    """A selector that remembers when it looked."""

    def __init__(self) -> None:
        super().__init__()
        self.since = self.before = self._last = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        waits = not found and (timeout is None or timeout > 0)
        if waits:
            found = super().select(timeout)
        now = time.monotonic()
        self.before = self.since
        self.since = now if waits else self._last
        self._last = now
        return found


class ArrivalLoop(asyncio.SelectorEventLoop):
    """An event loop that knows since when the events of its present round may have been there."""

    def __init__(self) -> None:
        self._looks = _WatchfulSelector()
        super().__init__(self._looks)

    @property
    def since(self) -> float:
        """The earliest instant (``time.monotonic``) at which what this round found can have come."""
        return self._looks.since

    @property
    def before(self) -> float:
        """The same of the round before: what it found wakes a task in this one."""
        return self._looks.before


def found_now() -> float:
    """Return :attr:`ArrivalLoop.since` of the running loop; of any other kind of loop, now."""
    loop = asyncio.get_running_loop()
    return loop.since if isinstance(loop, ArrivalLoop) else time.monotonic()


def found_before() -> float:
    """Return :attr:`ArrivalLoop.before` of the running loop; of any other kind of loop, now."""
    loop = asyncio.get_running_loop()
    return loop.before if isinstance(loop, ArrivalLoop) else time.monotonic()
