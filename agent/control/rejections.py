"""Rejection budget: limits the entries of refused requests, so that a caller cannot fill the disk.

Rules of this file: the buckets are pure. Each uid has one, and all uids together have one, because a user may have tens
of thousands of uids (subuid(5)). Refusals without an entry are counted, and the next entry of the uid contains the
count.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from agent.errors import ShoumiError


class RejectionLimits(NamedTuple):
    """Entries per uid in a burst, and seconds until one more; and the same for all uids together."""

    burst: int
    refill: float
    burst_of_all: int
    refill_of_all: float


WITH_ROLE: Final = RejectionLimits(20, 3.0, 100, 1.0)
WITHOUT: Final = RejectionLimits(20, 60.0, 100, 10.0)
_KEPT: Final = 1024  # uids with their own count


class _Bucket:
    def __init__(self, burst: int, refill: float, now: float) -> None:
        self._burst, self._refill = burst, refill
        self._tokens, self._at = float(burst), now

    def full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self._burst

    def has(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= 1

    def take(self) -> None:
        self._tokens -= 1

    def _fill(self, now: float) -> None:
        self._tokens = min(float(self._burst), self._tokens + max(0.0, now - self._at) / self._refill)
        self._at = max(self._at, now)


class RejectionBudget:
    """Token buckets of refusals. *now*: seconds of a monotonic clock."""

    def __init__(self, limits: RejectionLimits, now: float) -> None:
        self._limits = limits
        self._all = _Bucket(limits.burst_of_all, limits.refill_of_all, now)
        self._each: dict[int, _Bucket] = {}
        self._skipped: Counter[int] = Counter()
        self._untold: Counter[int] = Counter()

    def take(self, uid: int, now: float) -> bool:
        """Return whether a refusal of *uid* becomes an entry; otherwise count it."""
        if len(self._each) >= _KEPT:
            self._each = {of: bucket for of, bucket in self._each.items() if not bucket.full(now)}
        own_bucket = self._each.get(uid) or _Bucket(self._limits.burst, self._limits.refill, now)
        if len(self._each) >= _KEPT or not own_bucket.has(now) or not self._all.has(now):
            self.skip(uid)
            return False
        self._each[uid] = own_bucket
        own_bucket.take()
        self._all.take()
        return True

    def skip(self, uid: int, times: int = 1) -> None:
        """Count refusals without an entry."""
        for counts in (self._skipped, self._untold):
            if uid in counts or len(counts) < _KEPT:
                counts[uid] += times

    def skipped(self, uid: int) -> int:
        """Return the refusals of *uid* without an entry since the last entry, and reset the count."""
        return self._skipped.pop(uid, 0)

    def untold(self) -> Counter[int]:
        """Return the refusals without an entry of every uid since the last call."""
        counts, self._untold = self._untold, Counter()
        return counts


class RefusalEntries:
    """Writes entries of refused requests within both budgets. For any thread."""

    def __init__(self, append: Callable[[Mapping[str, Any]], object]) -> None:
        """*append* writes an entry, and may raise :class:`ShoumiError`."""
        self._append = append
        self._turn = threading.Lock()
        self._with_role, self._without = (RejectionBudget(limits, time.monotonic()) for limits in (WITH_ROLE, WITHOUT))

    def record(self, uid: int, fields: Callable[[], Mapping[str, Any]], *, with_role: bool) -> None:
        """Record the *fields* of a refusal of *uid*. Log errors are not raised: the refusal tells more."""
        budget = self._with_role if with_role else self._without
        with self._turn:
            if not budget.take(uid, time.monotonic()):
                return
            skipped = budget.skipped(uid)
        more = {"not_recorded": skipped} if skipped else {}
        try:
            self._append({**fields(), **more})
        except ShoumiError:
            with self._turn:
                budget.skip(uid, skipped + 1)

    def unrecorded(self) -> Counter[int]:
        """Return the refusals without an entry of each uid since the last call."""
        with self._turn:
            return self._with_role.untold() + self._without.untold()
