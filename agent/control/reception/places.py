"""Places: who may be connected to the control process at a time, as a pure state machine.

Rules of this file: each kind of caller has places of its own, so that nobody is kept out by those of another kind. One
uid has no more than its part of them. Where all are taken, somebody with fewer places takes the one that has been idle
longest from whoever has the most, and at least two more: so no uid keeps another out, and none is put out by turns.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind")


class Share(NamedTuple):
    """How many places a kind of caller has ``in_all``, and how many one uid of it has (``each``)."""

    in_all: int
    each: int


class Admission(NamedTuple):
    """What became of somebody who came: their ``place``, ``None`` if there is none; and which one ``lost`` its own."""

    place: int | None
    lost: int | None = None


class CallerPlaces(Generic[Kind]):
    """All places, by number. A place is made idle and busy by whoever holds it; it begins idle."""

    def __init__(self, shares: Mapping[Kind, Share]) -> None:
        self._shares = shares
        self._holders: dict[int, tuple[Kind, int]] = {}
        self._taken: Counter[tuple[Kind, int]] = Counter()
        self._idle: dict[Kind, dict[int, None]] = {kind: {} for kind in shares}  # in the order they became so
        self._next = 0

    def arrive(self, kind: Kind, uid: int) -> Admission:
        """Give a place to a caller of *uid*, if there is one; the holder of one that is ``lost`` has to go."""
        share, mine = self._shares[kind], self._taken[kind, uid]
        lost = None
        if mine >= share.each:
            return Admission(None)
        if self.taken(kind) >= share.in_all:
            lost = self._to_give(kind, mine)
            if lost is None:
                return Admission(None)
            self.leave(lost)
        self._next += 1
        self._holders[self._next] = kind, uid
        self._taken[kind, uid] += 1
        self._idle[kind][self._next] = None
        return Admission(self._next, lost)

    def leave(self, place: int) -> None:
        """Give a place back; one that was lost meanwhile is no longer there."""
        holder = self._holders.pop(place, None)
        if holder is None:
            return
        self._idle[holder[0]].pop(place, None)
        self._taken[holder] -= 1
        if not self._taken[holder]:
            del self._taken[holder]  # uids come and go, and are not kept

    def busy(self, place: int) -> None:
        """Take note that a request of this place is under way: it is not given to anybody else."""
        if place in self._holders:
            self._idle[self._holders[place][0]].pop(place, None)

    def idle(self, place: int) -> None:
        """Take note that a request has been answered."""
        if place in self._holders:
            self._idle[self._holders[place][0]][place] = None

    def taken(self, kind: Kind, uid: int | None = None) -> int:
        """Return how many places callers of *kind* have, or one uid of them."""
        if uid is not None:
            return self._taken[kind, uid]
        return sum(count for (of, _), count in self._taken.items() if of == kind)

    def _to_give(self, kind: Kind, mine: int) -> int | None:
        """Return the place that somebody who has *mine* may take, ``None`` when there is none."""
        most = max((self._taken[kind, self._holders[place][1]] for place in self._idle[kind]), default=0)
        if most < mine + 2:
            return None
        return next(place for place in self._idle[kind] if self._taken[kind, self._holders[place][1]] == most)
