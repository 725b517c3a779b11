"""How many wrong deliveries of one owner are put away: each costs an entry, a reason, an answer and an alarm (C13).

Rules of this file: the first :data:`AT_ONCE` of each owner, and one more for every :data:`REFILL` since. What is beyond
that stays where it was dropped, in blocks of whoever dropped it, and is looked at in turns; who it is of, and how much,
is said. Nothing that is right ever passes through here. Pure; ``now`` only goes forward for who asks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.text import Text

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
class LeftBehind:
    """What one sweep has left of one owner: names, and bytes of them."""

    uid: int
    names: int = 0
    size: int = 0

    def text(self) -> Text:
        """Return the sentence of the alarm."""
        mib = f"{self.size / (1 << 20):.1f} MiB"
        return Text(
            f"user {self.uid} drops more wrong files into the spool than are put away; {self.names} ({mib}) were left",
            f"用户 {self.uid} 投递的错误文件过多，本次有 {self.names} 份（{mib}）留在原处",
        )


class WrongBudget:
    """The accounts of all owners. Belongs to the thread that sweeps."""

    def __init__(self) -> None:
        self._accounts: dict[int, _Account] = {}
        self.left: dict[int, LeftBehind] = {}

    def begin(self) -> None:
        """Begin a sweep."""
        self.left = {}

    def may(self, uid: int, size: int, now: datetime) -> bool:
        """Whether a wrong delivery of *uid* is put away now; if not, it counts as left."""
        key = uid if uid in self._accounts or len(self._accounts) < MOST_OWNERS else -1
        account = self._accounts.setdefault(key, _Account(now))
        account.refill(now)
        if account.used < AT_ONCE:
            account.used += 1
            return True
        behind = self.left.setdefault(uid, LeftBehind(uid))
        behind.names, behind.size = behind.names + 1, behind.size + size
        return False
