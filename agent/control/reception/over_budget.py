"""Over-budget counts per uid, reported as alarms. Pure.

Rules of this file: reports are limited as well: at most one per uid in :data:`EVERY`, and :data:`MOST` of all uids
together: a user may have tens of thousands of uids (subuid(5)). Uids beyond the limit are counted together.
"""

from collections import Counter
from enum import Enum
from typing import Final, NamedTuple

from rules.text import Message, Sentence

ENOUGH: Final = 10  # refusals in :data:`WITHIN` before a report
WITHIN: Final = 60.0  # seconds
EVERY: Final = 600.0  # seconds
MOST: Final = 12
KEPT: Final = 1024  # uids with their own count
OTHERS: Final = -1  # stands for all uids without their own count


class Excess(Enum):
    """Kind of excess."""

    CONNECTIONS = "refused_connections"  # no place was free, or another caller got it
    REQUESTS = "refused_requests"  # too many pending, too large, or incomplete
    REFUSALS = "not_recorded"  # refused acts without an entry

    def text(self, count: int) -> Sentence:
        """Return *count* of them, with the noun."""
        return _TEXTS[self].about(count=count)


_TEXTS: Final = {
    Excess.CONNECTIONS: Message("control.refused-connections"),
    Excess.REQUESTS: Message("control.refused-requests"),
    Excess.REFUSALS: Message("control.refused-acts"),
}


class OverBudget(NamedTuple):
    """The excess of one uid. ``since``: its start (``time.monotonic``)."""

    uid: int
    counts: dict[Excess, int]
    since: float

    def text(self, subject: Sentence) -> Sentence:
        """Return the sentence of the alarm about *subject*."""
        refused = [excess.text(count) for excess, count in self.counts.items()]
        return Message("control.over-budget", subject=subject, refused=refused)


class OverBudgetBook:
    """Counts until reported. *now* is monotonic."""

    def __init__(self) -> None:
        self._counted: dict[int, tuple[float, Counter[Excess]]] = {}
        self._reported: dict[int, float] = {}

    def note(self, uid: int, excess: Excess, now: float, times: int = 1) -> None:
        """Count a refused connection, request or act."""
        key = uid if uid in self._counted or len(self._counted) < KEPT else OTHERS
        _, counts = self._counted.setdefault(key, (now, Counter()))
        counts[excess] += times

    def due(self, now: float) -> list[OverBudget]:
        """Return the uids to report now, largest excess first, and reset their counts."""
        self._reported = {uid: at for uid, at in self._reported.items() if now - at < EVERY}
        for uid, (since, counts) in list(self._counted.items()):
            if now - since > WITHIN and counts.total() < ENOUGH:
                del self._counted[uid]  # an occasional refusal is ignored
        over = [
            OverBudget(uid, dict(counts), since)
            for uid, (since, counts) in self._counted.items()
            if counts.total() >= ENOUGH and uid not in self._reported
        ]
        over.sort(key=lambda entry: -sum(entry.counts.values()))
        over = over[: max(0, MOST - len(self._reported))]
        for entry in over:
            del self._counted[entry.uid]
            self._reported[entry.uid] = now
        return over
