"""Time that passes at once: the clock of a site, put forward without anybody waiting."""

from datetime import timedelta

from agent.site.context import Clock


class LaterClock:
    """Another clock, put forward."""

    def __init__(self, clock: Clock, by: timedelta) -> None:
        self._clock = clock
        self._by = round(by.total_seconds() * 1_000_000_000)

    def now(self) -> int:
        return self._clock.now() + self._by

    def ahead(self) -> int:
        return 0  # the wall clock is meant to have gone on, too


def later(clock: Clock, **time: float) -> Clock:
    return LaterClock(clock, timedelta(**time))
