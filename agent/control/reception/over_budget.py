"""Who asked for more than their budget: counted for each uid, and told as an alarm, as a pure book.

Rules of this file: telling is bounded as well. Of one uid at most once in :data:`EVERY`, of all together :data:`MOST`
times in it: a user may have tens of thousands of uids (subuid(5)). What a book has no room for is counted together.
"""

from collections import Counter
from enum import Enum
from typing import Final, NamedTuple

from rules.text import Text

ENOUGH: Final = 10  # times in :data:`WITHIN` before anybody is told
WITHIN: Final = 60.0  # seconds
EVERY: Final = 600.0  # seconds
MOST: Final = 12
KEPT: Final = 1024  # uids that are counted by themselves
OTHERS: Final = -1  # in place of a uid: all those for whom there was no room


class Excess(Enum):
    """Of what somebody asked too much."""

    CONNECTIONS = "refused_connections"  # there was no place, or somebody else got it
    REQUESTS = "refused_requests"  # too many waited, or one was too large or did not end
    REFUSALS = "not_recorded"  # refused acts that have no entry of their own any more

    @property
    def text(self) -> Text:
        """It as a person reads it."""
        return _TEXTS[self]


_TEXTS: Final = {
    Excess.CONNECTIONS: Text("connections", "连接"),
    Excess.REQUESTS: Text("requests", "请求"),
    Excess.REFUSALS: Text("refused acts", "被拒操作"),
}


class OverBudget(NamedTuple):
    """What one uid asked for beyond its budget. ``since``, an instant of ``time.monotonic``: when it began."""

    uid: int
    counts: dict[Excess, int]
    since: float

    def text(self, who: Text) -> Text:
        """Return what is told, of *who* it is."""
        en = ", ".join(f"{count:,} {what.text.en}" for what, count in self.counts.items())
        zh = "、".join(f"{what.text.zh} {count:,} 次" for what, count in self.counts.items())
        return Text(
            f"{who.en} asks the agent for more than one user may: turned away were {en}",
            f"{who.zh} 对代理的请求超出单个用户的限额，已拒绝：{zh}",
        )


class OverBudgetBook:
    """Counts until it is told. *now* never goes back."""

    def __init__(self) -> None:
        self._counted: dict[int, tuple[float, Counter[Excess]]] = {}
        self._told: dict[int, float] = {}

    def note(self, uid: int, what: Excess, now: float, times: int = 1) -> None:
        """Count something that was turned away."""
        key = uid if uid in self._counted or len(self._counted) < KEPT else OTHERS
        _, counts = self._counted.setdefault(key, (now, Counter()))
        counts[what] += times

    def due(self, now: float) -> list[OverBudget]:
        """Return who is to be told about now, whoever asked for most first, and count anew for them."""
        self._told = {uid: at for uid, at in self._told.items() if now - at < EVERY}
        for uid, (since, counts) in list(self._counted.items()):
            if now - since > WITHIN and counts.total() < ENOUGH:
                del self._counted[uid]  # a slip now and then is nothing
        found = [
            OverBudget(uid, dict(counts), since)
            for uid, (since, counts) in self._counted.items()
            if counts.total() >= ENOUGH and uid not in self._told
        ]
        found.sort(key=lambda one: -sum(one.counts.values()))
        found = found[: max(0, MOST - len(self._told))]
        for one in found:
            del self._counted[one.uid]
            self._told[one.uid] = now
        return found
