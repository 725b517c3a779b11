"""Time share for work that must not slow down others: after each piece it rests for a multiple of its duration.

Rules of this file: pure; instants are seconds of one clock that never goes back.
"""

import math


class TimeShare:
    """One of *parts* of the time for work, with rests of at most *most* seconds."""

    def __init__(self, parts: float, most: float = math.inf) -> None:
        self._parts = parts
        self._most = most
        self._until = -math.inf

    @property
    def rests_until(self) -> float:
        """The end of its rest."""
        return self._until

    def rests(self, now: float) -> bool:
        """Return whether it rests now."""
        return now < self._until

    def spent(self, began: float, now: float) -> None:
        """Record a piece of work that took from *began* to *now*."""
        self._until = now + min(self._most, (self._parts - 1) * (now - began))
