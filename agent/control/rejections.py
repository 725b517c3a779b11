"""How many refused requests become entries: nobody fills the disk with what they may not do.

Rules of this file: the buckets are pure. Each uid has one, and all of them together have one, because a user may have
tens of thousands of uids (subuid(5)). What has no entry is counted, and the next entry of that uid says how many there
were.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from agent.errors import ShoumiError


class RejectionLimits(NamedTuple):
    """How many entries one uid has at once, after how many seconds one more; and the same of all uids together."""

    burst: int
    refill: float
    burst_of_all: int
    refill_of_all: float


WITH_ROLE: Final = RejectionLimits(20, 3.0, 100, 1.0)
WITHOUT: Final = RejectionLimits(20, 60.0, 100, 10.0)
_KEPT: Final = 1024  # uids whose count is kept by itself


class _Bucket:
    def __init__(self, burst: int, refill: float, now: float) -> None:
        self._burst, self._refill = burst, refill
        self._left, self._at = float(burst), now

    def full(self, now: float) -> bool:
        self._fill(now)
        return self._left >= self._burst

    def has(self, now: float) -> bool:
        self._fill(now)
        return self._left >= 1

    def take(self) -> None:
        self._left -= 1

    def _fill(self, now: float) -> None:
        self._left = min(float(self._burst), self._left + max(0.0, now - self._at) / self._refill)
        self._at = max(self._at, now)


class RejectionBudget:
    """*now* is of a clock that does not go back, in seconds."""

    def __init__(self, limits: RejectionLimits, now: float) -> None:
        self._limits = limits
        self._all = _Bucket(limits.burst_of_all, limits.refill_of_all, now)
        self._each: dict[int, _Bucket] = {}
        self._skipped: Counter[int] = Counter()
        self._untold: Counter[int] = Counter()

    def take(self, uid: int, now: float) -> bool:
        """Return whether a refusal of *uid* becomes an entry; if not, it is counted."""
        if len(self._each) >= _KEPT:
            self._each = {of: bucket for of, bucket in self._each.items() if not bucket.full(now)}
        mine = self._each.get(uid) or _Bucket(self._limits.burst, self._limits.refill, now)
        if len(self._each) >= _KEPT or not mine.has(now) or not self._all.has(now):
            self.skip(uid)
            return False
        self._each[uid] = mine
        mine.take()
        self._all.take()
        return True

    def skip(self, uid: int, times: int = 1) -> None:
        """Count refusals that have no entry."""
        for counts in (self._skipped, self._untold):
            if uid in counts or len(counts) < _KEPT:
                counts[uid] += times

    def skipped(self, uid: int) -> int:
        """Return how many refusals of *uid* had no entry since the last one that had, and count anew."""
        return self._skipped.pop(uid, 0)

    def untold(self) -> Counter[int]:
        """Return the same of every uid since the last call."""
        found, self._untold = self._untold, Counter()
        return found


class RefusalEntries:
    """The entries of all that is refused, as many as both budgets let be. For any thread."""

    def __init__(self, append: Callable[[Mapping[str, Any]], object]) -> None:
        """*append* has an entry recorded, and may raise :class:`ShoumiError`."""
        self._append = append
        self._turn = threading.Lock()
        self._with_role, self._without = (RejectionBudget(one, time.monotonic()) for one in (WITH_ROLE, WITHOUT))

    def record(self, uid: int, fields: Callable[[], Mapping[str, Any]], *, with_role: bool) -> None:
        """Record the *fields* of a refusal of *uid*. Raises nothing about the log: the caller gets what says more."""
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
        """Return how many of each uid had no entry since the last call."""
        with self._turn:
            return self._with_role.untold() + self._without.untold()
