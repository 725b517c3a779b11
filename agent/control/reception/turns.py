"""Turns: a fair queue of pending work. Pure.

    kind by kind, in the order of the limits → within a kind, uid by uid → of one uid, in order of arrival

Rules of this file: a uid with many jobs delays only itself. The first job of a uid waits for at most one job of every
other uid of its kind, for jobs of kinds before it, and for those under way.
"""

from collections import Counter, deque
from collections.abc import Container, Mapping
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind")
Item = TypeVar("Item")


class TurnLimits(NamedTuple):
    """Limits of a kind: jobs under way in total and per uid, and jobs waiting per uid."""

    running: int
    running_each: int
    waiting_each: int


class Turn(NamedTuple, Generic[Kind, Item]):
    """The next job. It is under way until :meth:`FairTurns.over`."""

    kind: Kind
    uid: int
    job: Item


class FairTurns(Generic[Kind, Item]):
    """Pending jobs, and counts of those under way."""

    def __init__(self, limits: Mapping[Kind, TurnLimits]) -> None:
        self._limits = limits
        self._waiting: dict[Kind, dict[int, deque[Item]]] = {kind: {} for kind in limits}  # uids in order of turns
        self._running: Counter[tuple[Kind, int]] = Counter()
        self._in_all: Counter[Kind] = Counter()

    def ask(self, kind: Kind, uid: int, job: Item) -> bool:
        """Queue *job*; return ``False`` when too many jobs of this uid wait already."""
        waiting = self._waiting[kind]
        queue = waiting.get(uid)
        if queue is not None and len(queue) >= self._limits[kind].waiting_each:
            return False
        if queue is None:
            waiting[uid] = deque([job])
        else:
            queue.append(job)
        return True

    def next(self, resting: Container[Kind] = ()) -> Turn[Kind, Item] | None:
        """Return the next job, ``None`` when none may start. *resting* kinds are skipped."""
        for kind, limits in self._limits.items():
            if kind in resting or self._in_all[kind] >= limits.running:
                continue
            uid = next(
                (
                    candidate
                    for candidate in self._waiting[kind]
                    if self._running[kind, candidate] < limits.running_each
                ),
                None,
            )
            if uid is not None:
                return self._take(kind, uid)
        return None

    def over(self, turn: Turn[Kind, Item]) -> None:
        """Record that the job of *turn* has ended."""
        self._in_all[turn.kind] -= 1
        self._running[turn.kind, turn.uid] -= 1
        if not self._running[turn.kind, turn.uid]:
            del self._running[turn.kind, turn.uid]

    def drop(self) -> list[Item]:
        """Remove and return all pending jobs."""
        dropped = [job for waiting in self._waiting.values() for queue in waiting.values() for job in queue]
        for waiting in self._waiting.values():
            waiting.clear()
        return dropped

    def _take(self, kind: Kind, uid: int) -> Turn[Kind, Item]:
        waiting = self._waiting[kind]
        queue = waiting.pop(uid)
        job = queue.popleft()
        if queue:
            waiting[uid] = queue  # behind all others
        self._in_all[kind] += 1
        self._running[kind, uid] += 1
        return Turn(kind, uid, job)
