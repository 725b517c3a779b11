"""Arrival times: the earliest instant at which bytes found by the event loop can have arrived.

Rules of this file: the kernel keeps no time stamp of bytes on a unix socket. Events that a poll finds without waiting
arrived after the previous poll, and count from then: a reported wait is too long rather than too short, and includes
the delay of the loop itself.
"""

import asyncio
import selectors
import time
from typing import NamedTuple


class CallArrival(NamedTuple):
    """Interval (``time.monotonic``) in which the first bytes arrived; they were ``read`` at its end.

    Waiting time counts from the start, so that it is never too short. A receipt shows the end: nothing is received
    before it is sent.
    """

    since: float
    read: float


class _WatchfulSelector(selectors.DefaultSelector):
    """A selector that records when it polled."""

    def __init__(self) -> None:
        super().__init__()
        self.since = self.before = self._last = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        waits = not events and (timeout is None or timeout > 0)
        if waits:
            events = super().select(timeout)
        now = time.monotonic()
        self.before = self.since
        self.since = now if waits else self._last
        self._last = now
        return events


class ArrivalLoop(asyncio.SelectorEventLoop):
    """An event loop that knows the earliest arrival of the events of its present round."""

    def __init__(self) -> None:
        self._looks = _WatchfulSelector()
        super().__init__(self._looks)

    @property
    def since(self) -> float:
        """The earliest arrival (``time.monotonic``) of the events of this round."""
        return self._looks.since

    @property
    def before(self) -> float:
        """The earliest arrival of the events of the previous round, which wake tasks in this one."""
        return self._looks.before


def found_now() -> float:
    """Return :attr:`ArrivalLoop.since` of the running loop; for any other loop, now."""
    loop = asyncio.get_running_loop()
    return loop.since if isinstance(loop, ArrivalLoop) else time.monotonic()


def found_before() -> float:
    """Return :attr:`ArrivalLoop.before` of the running loop; for any other loop, now."""
    loop = asyncio.get_running_loop()
    return loop.before if isinstance(loop, ArrivalLoop) else time.monotonic()
