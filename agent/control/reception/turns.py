"""Turns: what is done next of all that waits, as a pure queue.

    kind by kind, in the order of the limits → within a kind, uid after uid → of one uid, in the order it was asked

Rules of this file: a uid that asks for much waits for itself. Whoever asks first of a uid waits for one piece of work
of every other uid of its kind at the most, for those of kinds before it, and for what is under way.
"""

from collections import Counter, deque
from collections.abc import Container, Mapping
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind")
Item = TypeVar("Item")


class TurnLimits(NamedTuple):
    """How many pieces of work of a kind are under way at a time, how many of one uid, and how many of it may wait."""

    running: int
    running_each: int
    waiting_each: int


class Turn(NamedTuple, Generic[Kind, Item]):
    """The work that is to be done next. It is under way until :meth:`FairTurns.over`."""

    kind: Kind
    uid: int
    item: Item


class FairTurns(Generic[Kind, Item]):
    """All that waits and how much is under way."""

    def __init__(self, limits: Mapping[Kind, TurnLimits]) -> None:
        self._limits = limits
        self._waiting: dict[Kind, dict[int, deque[Item]]] = {kind: {} for kind in limits}  # uids in order of turns
        self._running: Counter[tuple[Kind, int]] = Counter()
        self._in_all: Counter[Kind] = Counter()

    def ask(self, kind: Kind, uid: int, item: Item) -> bool:
        """Let *item* wait for its turn; return ``False`` where too much of this uid waits already."""
        waiting = self._waiting[kind]
        mine = waiting.get(uid)
        if mine is not None and len(mine) >= self._limits[kind].waiting_each:
            return False
        if mine is None:
            waiting[uid] = deque([item])
        else:
            mine.append(item)
        return True

    def next(self, resting: Container[Kind] = ()) -> Turn[Kind, Item] | None:
        """Return what is to be done now, ``None`` when nothing may be. Kinds that are *resting* are passed over."""
        for kind, limits in self._limits.items():
            if kind in resting or self._in_all[kind] >= limits.running:
                continue
            uid = next((one for one in self._waiting[kind] if self._running[kind, one] < limits.running_each), None)
            if uid is not None:
                return self._take(kind, uid)
        return None

    def over(self, turn: Turn[Kind, Item]) -> None:
        """Take note that the work of *turn* has ended."""
        self._in_all[turn.kind] -= 1
        self._running[turn.kind, turn.uid] -= 1
        if not self._running[turn.kind, turn.uid]:
            del self._running[turn.kind, turn.uid]

    def drop(self) -> list[Item]:
        """Forget everything that waits, and return it."""
        dropped = [item for waiting in self._waiting.values() for mine in waiting.values() for item in mine]
        for waiting in self._waiting.values():
            waiting.clear()
        return dropped

    def _take(self, kind: Kind, uid: int) -> Turn[Kind, Item]:
        waiting = self._waiting[kind]
        mine = waiting.pop(uid)
        item = mine.popleft()
        if mine:
            waiting[uid] = mine  # behind all others
        self._in_all[kind] += 1
        self._running[kind, uid] += 1
        return Turn(kind, uid, item)
