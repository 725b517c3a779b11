"""A share of the time for work that must not slow others down: after each piece it rests for a multiple of that.

Rules of this file: pure; instants are seconds of one clock that never goes back.
"""

import math


class TimeShare:
    """Gives work one of *parts* of the time, and lets it rest *most* seconds at a time."""

    def __init__(self, parts: float, most: float = math.inf) -> None:
        self._parts = parts
        self._most = most
        self._until = -math.inf

    @property
    def rests_until(self) -> float:
        """Until when it rests."""
        return self._until

    def rests(self, now: float) -> bool:
        """Whether it rests now."""
        return now < self._until

    def spent(self, began: float, now: float) -> None:
        """Take note of a piece of work that took from *began* to *now*."""
        self._until = now + min(self._most, (self._parts - 1) * (now - began))
