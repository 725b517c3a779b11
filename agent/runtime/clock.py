"""The agent's clock never goes back: a clock set back must not bring an ended grant to life.

Rules of this file: ``now`` is the system clock, but never earlier than the latest instant already used or logged.
A clock that was wrongly set *forward* and then corrected therefore stands still until time has caught up: grants
that ended in between stay ended, which is the safe side, and the log says how far the clock is behind.
"""

import time
from datetime import UTC, datetime

_SECOND = 1_000_000_000


class AgentClock:
    """Nanoseconds since 1970, non-decreasing, starting no earlier than *floor_ns*."""

    def __init__(self, floor_ns: int = 0) -> None:
        self.latest = floor_ns  # what :meth:`now` last returned

    def now(self) -> int:
        """Return the present instant in nanoseconds."""
        wall = time.time_ns()
        if wall > self.latest:
            self.latest = wall
        return self.latest

    def behind(self) -> float:
        """Return by how many seconds the system clock lags behind what was already used; 0.0 in good order."""
        return max(0.0, (self.latest - time.time_ns()) / _SECOND)


def instant(now: int) -> datetime:
    """Return nanoseconds since 1970 as an aware ``datetime`` (microseconds, rounded down)."""
    return datetime.fromtimestamp(now // _SECOND, UTC).replace(microsecond=now % _SECOND // 1000)


def nanoseconds(moment: datetime) -> int:
    """Return an aware ``datetime`` as nanoseconds since 1970, exactly."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
