"""A denied reader in a tight loop must not be able to fill the disk that every allow depends on.

Rules of this file: the first ``limit`` equal denials of a second are recorded one by one; further ones are counted,
and the count is recorded when the second is over. Nothing that was allowed ever passes through here.
"""

from collections.abc import Hashable, Iterator
from typing import NamedTuple

_SECOND = 1_000_000_000
_MOST = 16_384


class SuppressedDenials(NamedTuple):
    """Denials that were counted, not recorded: the entry text they share, and how many there were."""

    fields: bytes
    times: int


class DenialRateLimiter:
    """Counts equal denials per second (monotonic nanoseconds)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[Hashable, list[int]] = {}
        self._fields: dict[Hashable, bytes] = {}
        self._since = 0

    def record(self, key: Hashable, fields: bytes) -> bool:
        """Return whether this denial is to be recorded now; if not, it has been counted."""
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= _MOST:
                return True
            self._counts[key] = [1]
            return True
        count[0] += 1
        if count[0] <= self._limit:
            return True
        self._fields[key] = fields
        return False

    def due(self, now: int) -> Iterator[SuppressedDenials]:
        """Yield what was only counted, once the second is over; start the next one."""
        if not self._counts or now - self._since < _SECOND:
            return
        held = [SuppressedDenials(fields, self._counts[key][0] - self._limit) for key, fields in self._fields.items()]
        self._counts.clear()
        self._fields.clear()
        self._since = now
        yield from held
