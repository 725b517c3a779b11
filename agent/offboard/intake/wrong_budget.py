"""The budget of wrong deliveries per owner: each filed one costs an entry, a reason, an answer and an alarm (C13).

Rules of this file: the first :data:`AT_ONCE` of each owner, and one more for every :data:`REFILL` since. Those beyond
stay where they were dropped, in disk blocks of their owner, and are read in turns; their owner and their number are
reported. Nothing that is right ever passes through here. Pure; ``now`` only goes forward.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.text import Message, Sentence

AT_ONCE = 4_000
REFILL = timedelta(seconds=4)
MOST_OWNERS = 64  # others share one account


@dataclass(slots=True)
class _Account:
    since: datetime
    used: int = 0

    def refill(self, now: datetime) -> None:
        back = max(0, (now - self.since) // REFILL)
        self.since += back * REFILL
        self.used = max(0, self.used - back)


@dataclass(slots=True)
class SpoolOverflow:
    """The wrong files of one owner that one sweep left in place: their number, and their size in bytes."""

    uid: int
    names: int = 0
    size: int = 0

    def text(self) -> Sentence:
        """Return the sentence of the alarm."""
        mib = f"{self.size / (1 << 20):.1f} MiB"
        return Message("hr.too-many-invalid-files", uid=self.uid, names=self.names, mib=mib)


class WrongBudget:
    """The accounts of all owners. Belongs to the thread that sweeps."""

    def __init__(self) -> None:
        self._accounts: dict[int, _Account] = {}
        self.overflows: dict[int, SpoolOverflow] = {}

    def begin(self) -> None:
        """Begin a sweep."""
        self.overflows = {}

    def may(self, uid: int, size: int, now: datetime) -> bool:
        """Whether a wrong delivery of *uid* is filed now; if not, it is added to the overflow."""
        key = uid if uid in self._accounts or len(self._accounts) < MOST_OWNERS else -1
        account = self._accounts.setdefault(key, _Account(now))
        account.refill(now)
        if account.used < AT_ONCE:
            account.used += 1
            return True
        overflow = self.overflows.setdefault(uid, SpoolOverflow(uid))
        overflow.names, overflow.size = overflow.names + 1, overflow.size + size
        return False
