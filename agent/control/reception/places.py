"""Places: concurrent connections to the control process, as a pure state machine.

Rules of this file: each kind of caller has its own places, so that no kind blocks another. One uid has no more than its
share. When all are taken, a uid with fewer places gets the longest idle one of the uid with the most, if that has at
least two more: so no uid blocks another, and two uids do not displace each other in turn.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind")


class Share(NamedTuple):
    """Places of a kind of caller ``in_all``, and of one uid of it (``each``)."""

    in_all: int
    each: int


class Admission(NamedTuple):
    """Result of an arrival: the ``place``, ``None`` if there is none, and the place that was ``lost`` for it."""

    place: int | None
    lost: int | None = None


class CallerPlaces(Generic[Kind]):
    """All places, by number. The holder of a place marks it busy and idle; it begins idle."""

    def __init__(self, shares: Mapping[Kind, Share]) -> None:
        self._shares = shares
        self._holders: dict[int, tuple[Kind, int]] = {}
        self._taken: Counter[tuple[Kind, int]] = Counter()
        self._idle: dict[Kind, dict[int, None]] = {kind: {} for kind in shares}  # in the order they became idle
        self._next = 0

    def arrive(self, kind: Kind, uid: int) -> Admission:
        """Assign a place to a caller of *uid*, if possible; the holder of a ``lost`` place must be disconnected."""
        share, own_places = self._shares[kind], self._taken[kind, uid]
        lost = None
        if own_places >= share.each:
            return Admission(None)
        if self.taken(kind) >= share.in_all:
            lost = self._to_give(kind, own_places)
            if lost is None:
                return Admission(None)
            self.leave(lost)
        self._next += 1
        self._holders[self._next] = kind, uid
        self._taken[kind, uid] += 1
        self._idle[kind][self._next] = None
        return Admission(self._next, lost)

    def leave(self, place: int) -> None:
        """Release a place; a lost place was released before."""
        holder = self._holders.pop(place, None)
        if holder is None:
            return
        self._idle[holder[0]].pop(place, None)
        self._taken[holder] -= 1
        if not self._taken[holder]:
            del self._taken[holder]  # forget uids without places

    def busy(self, place: int) -> None:
        """Record that a request of this place is under way, so that it cannot be lost."""
        if place in self._holders:
            self._idle[self._holders[place][0]].pop(place, None)

    def idle(self, place: int) -> None:
        """Record that a request has been answered."""
        if place in self._holders:
            self._idle[self._holders[place][0]][place] = None

    def taken(self, kind: Kind, uid: int | None = None) -> int:
        """Return the number of places of *kind*, or of one uid of it."""
        if uid is not None:
            return self._taken[kind, uid]
        return sum(count for (of, _), count in self._taken.items() if of == kind)

    def _to_give(self, kind: Kind, own_places: int) -> int | None:
        """Return the place that a uid with *own_places* may take over, ``None`` when there is none."""
        most = max((self._taken[kind, self._holders[place][1]] for place in self._idle[kind]), default=0)
        if most < own_places + 2:
            return None
        return next(place for place in self._idle[kind] if self._taken[kind, self._holders[place][1]] == most)
