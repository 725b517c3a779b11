"""Ending of the processes of one or many people: stop, scan, kill, wait for the real end, scan again.

Rules of this file: first all processes of an account are stopped in one call (its control group frozen where it has
one), so that the list that follows is complete and nothing forks meanwhile. One scan serves all people, so that the
last of many is ended no later than the first. The end for a person is sure when two full scans in a row found none of
their processes; when patience runs out before, the survivors are named: something may start them faster than they end,
and a process in an uninterruptible wait dies when the kernel lets it. A process has ended when its pidfd says so:
SIGKILL only asks. Each one is judged by :func:`agent.offboard.guardrails.ends`, before and after its pidfd was opened.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from agent.offboard import guardrails
from agent.offboard.guardrails import Process, Rails, Reach
from agent.offboard.steps import cgroups, signals, starters, tasks
from agent.offboard.steps.starters import StarterTally
from agent.offboard.steps.sweeping import sweep

SHOWN = 100  # processes named in the facts; the counts are complete
_WAIT_MS = 250.0
_CLEAN = 2  # full scans in a row that must find nothing


@dataclass(slots=True)
class TerminationResult:
    """The result. ``sure``: nothing remains. ``gone_at``: when the last process was seen to be gone, if any was."""

    killed: dict[int, Process] = field(default_factory=dict)
    groups: int = 0
    sure: bool = False
    survivors: list[Process] = field(default_factory=list)
    gone_at: datetime | None = None
    unswept: set[int] = field(default_factory=set)
    spared: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    started: StarterTally = field(default_factory=StarterTally)

    @property
    def ended(self) -> int:
        """The number of processes that were killed and are gone, as far as observed."""
        return len(self.killed.keys() - {process.pid for process in self.survivors})

    def facts(self) -> dict[str, Any]:
        """Return it as JSON.

        ``unswept`` are uids whose processes were ended one by one only, ``spared`` protected processes that would have
        been ended: the agent's own, when the person started it, or the caller; ``unread`` those that could not be read.
        ``starters``: what may start something again. ``left_states``: a letter for each of ``left``,
        proc_pid_status(5): ``D`` ends when the kernel allows it.
        """
        return {
            "killed": len(self.killed),
            "processes": [[process.pid, process.ruid, process.name] for process in list(self.killed.values())[:SHOWN]],
            "groups": self.groups,
            "left": [process.pid for process in self.survivors],
            "left_states": "".join(process.state for process in self.survivors),
            "gone_at": self.gone_at.isoformat() if self.gone_at else None,
            "unswept": sorted(self.unswept),
            "spared": sorted(self.spared),
            "unread": sorted(self.unread)[:SHOWN],
            "starters": starters.to_json(self.started.counted(self.killed)),
        }


class _Snapshot(NamedTuple):
    """The basis of one scan: protected processes, subordinate uids of each person, and the processes."""

    rails: Rails
    below: Sequence[Sequence[range]]
    tasks: tasks.Look


class ProcessTerminator:
    """Ends the processes of *people*, each given by their uids, by the same scans. The results are in their order.

    *holders* returns the pids that hold classified data; it may be slow. *below* returns each person's subordinate
    uids. For people who stay, see :mod:`agent.offboard.steps.ending_holders`.
    """

    def __init__(
        self,
        people: Sequence[Collection[int]],
        rails: Callable[[], Rails],
        now: Callable[[], datetime],
        holders: Callable[[], AbstractSet[int]] = frozenset,
        *,
        below: Callable[[], Sequence[Sequence[range]]] | None = None,
    ) -> None:
        self._people = [frozenset(uid for uid in uids if guardrails.ordinary(uid)) for uids in people]
        self._everybody = frozenset(uid for uids in self._people for uid in uids)
        self._read_rails = rails
        self._now = now
        self._read_holders = holders
        self._read_below = below or (lambda: [()] * len(people))
        self._holding: AbstractSet[int] | None = None
        self._tree = cgroups.root()

    def run(self, patience: float) -> list[TerminationResult]:
        """End them within *patience* seconds. Raises nothing for a process that does not end: it is a survivor."""
        outcomes = [TerminationResult() for _ in self._people]
        until = time.monotonic() + patience
        snapshot = self._take_snapshot()
        for at, uids in enumerate(self._people):
            for uid in uids:
                still = self._still(at, snapshot)
                outcomes[at].groups += self._tree is not None and cgroups.of_uid(self._tree, uid).end(still)
        self._sweep(signal.SIGSTOP, range(len(self._people)), snapshot.rails, outcomes)
        clean = [0] * len(self._people)
        while min(clean, default=_CLEAN) < _CLEAN and time.monotonic() < until:
            complete, persons = self._round(outcomes)
            clean = [count + 1 if complete and at not in persons else 0 for at, count in enumerate(clean)]
        survivors = self.find() if min(clean, default=_CLEAN) < _CLEAN else [[] for _ in outcomes]
        for outcome, count, remaining in zip(outcomes, clean, survivors, strict=True):
            outcome.sure = count >= _CLEAN
            outcome.survivors = [] if outcome.sure else remaining
        return outcomes

    def stop(self) -> None:
        """Stop them, each account in one call, so that they do nothing more until :meth:`run` ends them.

        Processes that a call cannot reach (by login only) go on until then.
        """
        everybody = range(len(self._people))
        self._sweep(signal.SIGSTOP, everybody, self._read_rails(), [TerminationResult() for _ in everybody])

    def find(self) -> list[list[Process]]:
        """Return the processes of each person to be ended now; end none."""
        targets: list[list[Process]] = [[] for _ in self._people]
        snapshot = self._take_snapshot()
        for process in snapshot.tasks:
            for at in self._whose(process, snapshot):
                targets[at].append(process)
        return targets

    def _round(self, outcomes: Sequence[TerminationResult]) -> tuple[bool, set[int]]:
        """Scan once, end the processes found, wait for them; return whether all were read, and whose were found."""
        snapshot = self._take_snapshot()
        struck: dict[int, list[int]] = {}  # pidfd → the people it belongs to
        persons: set[int] = set()
        try:
            for process in snapshot.tasks:
                whose = self._whose(process, snapshot)
                if whose:
                    persons.update(whose)
                    struck.update(self._strike(process, whose, snapshot, outcomes))
                else:
                    for at in self._spares(process, snapshot):
                        outcomes[at].spared.add(process.pid)
            if persons:
                self._sweep(signal.SIGKILL, sorted(persons), snapshot.rails, outcomes)
        finally:
            running = signals.wait(struck, _WAIT_MS)
            for pidfd in running:
                os.close(pidfd)
        now = self._now() if struck else None
        for at, outcome in enumerate(outcomes):
            outcome.unread = snapshot.tasks.unread
            own_pidfds = [pidfd for pidfd, whose in struck.items() if at in whose]
            if own_pidfds and not set(own_pidfds) & set(running):
                outcome.gone_at = now
            elif outcome.killed and outcome.gone_at is None and at not in persons and snapshot.tasks.complete:
                outcome.gone_at = self._now()  # it took longer than we waited, and this scan does not find it any more
        return snapshot.tasks.complete, persons

    def _strike(
        self, process: Process, whose: list[int], snapshot: _Snapshot, outcomes: Sequence[TerminationResult]
    ) -> dict[int, list[int]]:
        """Kill *process*, with its whole control group if that is one person's; return its pidfd to wait on."""
        pidfd = signals.open_if(process.pid, self._still(whose[0], snapshot))
        if pidfd is None:
            return {}
        for at in whose:
            outcomes[at].started.note(process.pid)
            outcomes[at].killed[process.pid] = process
        if self._tree:
            outcomes[whose[0]].groups += cgroups.of_pid(self._tree, process.pid).end(self._still(whose[0], snapshot))
        with contextlib.suppress(PermissionError):  # it stays, and is reported as a survivor
            signals.kill(pidfd)
        return {pidfd: whose}

    def _take_snapshot(self) -> _Snapshot:
        self._holding = None
        below = self._read_below()
        return _Snapshot(
            self._read_rails(),
            below,
            tasks.Look(self._everybody, [uid_range for ranges in below for uid_range in ranges]),
        )

    def _whose(self, process: Process, snapshot: _Snapshot) -> list[int]:
        return [at for at in self._concerned(process, snapshot) if self._ends(process, at, snapshot)]

    def _concerned(self, process: Process, snapshot: _Snapshot) -> list[int]:
        """Return the people it may belong to at all: they are many, and each check is expensive."""
        uids = tasks.uids(process)
        return [at for at, own_uids in enumerate(self._people) if snapshot.below[at] or not own_uids.isdisjoint(uids)]

    def _ends(self, process: Process, at: int, snapshot: _Snapshot) -> bool:
        uids, below = self._people[at], snapshot.below[at]
        how = guardrails.reach(process, uids, snapshot.rails)
        holds = how is Reach.SERVICE and self._holds(process.pid)
        return guardrails.ends(process, uids, snapshot.rails, holds=holds, below=below)

    def _spares(self, process: Process, snapshot: _Snapshot) -> list[int]:
        """Return the people for whom *process* would be ended, were it not protected."""
        if not snapshot.rails.protects(process.pid):
            return []
        free = snapshot._replace(rails=Rails(services=snapshot.rails.services))
        return [at for at in self._concerned(process, snapshot) if self._unheld(process, at, free)]

    def _unheld(self, process: Process, at: int, snapshot: _Snapshot) -> bool:
        return guardrails.ends(process, self._people[at], snapshot.rails, holds=False, below=snapshot.below[at])

    def _holds(self, pid: int) -> bool:
        if self._holding is None:
            self._holding = self._read_holders()
        return pid in self._holding

    def _still(self, at: int, snapshot: _Snapshot) -> Callable[[int], bool]:
        def still(pid: int) -> bool:
            process = tasks.read(pid)
            return process is not None and not process.ended and self._ends(process, at, snapshot)

        return still

    def _sweep(
        self, number: signal.Signals, whose: Collection[int], rails: Rails, outcomes: Sequence[TerminationResult]
    ) -> None:
        unswept = sweep({uid for at in whose for uid in self._people[at]}, number, rails)
        for at in whose:
            outcomes[at].unswept |= self._people[at] & unswept
