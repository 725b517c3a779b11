"""Ending processes until none is left, of one person or of many: stop, look, kill, wait for the real end, look again.

Rules of this file: first everything of an account is stopped in one call (its control group frozen where it has one),
so that what is then listed is what was there and nothing forks meanwhile. One look serves everybody, so that the last
of many people is ended no later than the first. Somebody's end is sure when two full looks in a row found nobody of
theirs; when patience runs out before, it says who is left: somebody may start them faster than they end, and a process
in an uninterruptible wait dies when the kernel lets it. A process has ended when its pidfd says so: SIGKILL only asks.
Each one is judged by :func:`agent.offboard.guardrails.ends`, before and after its pidfd was opened.
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
_CLEAN = 2  # full looks in a row that must find nobody


@dataclass(slots=True)
class TerminationResult:
    """What came of it. ``sure``: nobody is left. ``gone_at``: when the last was seen to be gone; ``None``: none was."""

    killed: dict[int, Process] = field(default_factory=dict)
    groups: int = 0
    sure: bool = False
    left: list[Process] = field(default_factory=list)
    gone_at: datetime | None = None
    unswept: set[int] = field(default_factory=set)
    spared: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    started: StarterTally = field(default_factory=StarterTally)

    @property
    def ended(self) -> int:
        """How many were killed and are gone, as far as anybody has seen."""
        return len(self.killed.keys() - {process.pid for process in self.left})

    def facts(self) -> dict[str, Any]:
        """Return it as JSON.

        ``unswept`` are uids whose processes were ended one by one only, ``spared`` protected processes that would have
        been ended: the agent's own, when the person started it, or whoever asked; ``unread`` those that could not be
        looked at. ``starters``: what may start something of it again. ``left_states``: a letter for each of ``left``,
        proc_pid_status(5): ``D`` ends when the kernel lets it.
        """
        return {
            "killed": len(self.killed),
            "processes": [[process.pid, process.ruid, process.name] for process in list(self.killed.values())[:SHOWN]],
            "groups": self.groups,
            "left": [process.pid for process in self.left],
            "left_states": "".join(process.state for process in self.left),
            "gone_at": self.gone_at.isoformat() if self.gone_at else None,
            "unswept": sorted(self.unswept),
            "spared": sorted(self.spared),
            "unread": sorted(self.unread)[:SHOWN],
            "starters": starters.to_json(self.started.counted(self.killed)),
        }


class _Look(NamedTuple):
    """What one look goes by: what is never touched, whose further uids are whose, and whom is looked at."""

    rails: Rails
    below: Sequence[Sequence[range]]
    tasks: tasks.Look


class ProcessTerminator:
    """Ends the processes of *people*, each given by their uids, by the same looks. The results are in their order.

    *holders* returns the pids that hold classified data; it may be slow. *below* returns each person's subordinate
    uids. See :mod:`agent.offboard.steps.ending_holders` for who stays.
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
        """End them within *patience* seconds. Raises nothing for a process that will not end: it is ``left``."""
        done = [TerminationResult() for _ in self._people]
        until = time.monotonic() + patience
        look = self._look()
        for at, uids in enumerate(self._people):
            for uid in uids:
                still = self._still(at, look)
                done[at].groups += self._tree is not None and cgroups.of_uid(self._tree, uid).end(still)
        self._sweep(signal.SIGSTOP, range(len(self._people)), look.rails, done)
        clean = [0] * len(self._people)
        while min(clean, default=_CLEAN) < _CLEAN and time.monotonic() < until:
            complete, found = self._round(done)
            clean = [count + 1 if complete and at not in found else 0 for at, count in enumerate(clean)]
        left = self.find() if min(clean, default=_CLEAN) < _CLEAN else [[] for _ in done]
        for one, count, theirs in zip(done, clean, left, strict=True):
            one.sure = count >= _CLEAN
            one.left = [] if one.sure else theirs
        return done

    def stop(self) -> None:
        """Stop them, each account in one call, so that they do nothing more until :meth:`run` ends them.

        What a call cannot reach (by login only) goes on until then.
        """
        everybody = range(len(self._people))
        self._sweep(signal.SIGSTOP, everybody, self._read_rails(), [TerminationResult() for _ in everybody])

    def find(self) -> list[list[Process]]:
        """Return who of each person is to be ended now; ends nobody."""
        found: list[list[Process]] = [[] for _ in self._people]
        look = self._look()
        for process in look.tasks:
            for at in self._whose(process, look):
                found[at].append(process)
        return found

    def _round(self, done: Sequence[TerminationResult]) -> tuple[bool, set[int]]:
        """Look at everyone, end whom it finds at once, wait for them; return if it saw everyone, and whom it found."""
        look = self._look()
        struck: dict[int, list[int]] = {}  # pidfd → whose it was
        found: set[int] = set()
        try:
            for process in look.tasks:
                whose = self._whose(process, look)
                if whose:
                    found.update(whose)
                    struck.update(self._strike(process, whose, look, done))
                else:
                    for at in self._spares(process, look):
                        done[at].spared.add(process.pid)
            if found:
                self._sweep(signal.SIGKILL, sorted(found), look.rails, done)
        finally:
            left = signals.wait(struck, _WAIT_MS)
            for pidfd in left:
                os.close(pidfd)
        now = self._now() if struck else None
        for at, one in enumerate(done):
            one.unread = look.tasks.unread
            theirs = [pidfd for pidfd, whose in struck.items() if at in whose]
            if theirs and not set(theirs) & set(left):
                one.gone_at = now
            elif one.killed and one.gone_at is None and at not in found and look.tasks.complete:
                one.gone_at = self._now()  # it took longer than we waited, and this look does not find it any more
        return look.tasks.complete, found

    def _strike(
        self, process: Process, whose: list[int], look: _Look, done: Sequence[TerminationResult]
    ) -> dict[int, list[int]]:
        """Kill *process*, with its whole control group if that is one person's; return its pidfd to wait on."""
        pidfd = signals.open_if(process.pid, self._still(whose[0], look))
        if pidfd is None:
            return {}
        for at in whose:
            done[at].started.note(process.pid)
            done[at].killed[process.pid] = process
        if self._tree:
            done[whose[0]].groups += cgroups.of_pid(self._tree, process.pid).end(self._still(whose[0], look))
        with contextlib.suppress(PermissionError):  # it stays, and is said to be left
            signals.kill(pidfd)
        return {pidfd: whose}

    def _look(self) -> _Look:
        self._holding = None
        below = self._read_below()
        return _Look(self._read_rails(), below, tasks.Look(self._everybody, [some for each in below for some in each]))

    def _whose(self, process: Process, look: _Look) -> list[int]:
        return [at for at in self._concerned(process, look) if self._ends(process, at, look)]

    def _concerned(self, process: Process, look: _Look) -> list[int]:
        """Return whose it may be at all: they are many, and each is judged at length."""
        uids = tasks.uids(process)
        return [at for at, theirs in enumerate(self._people) if look.below[at] or not theirs.isdisjoint(uids)]

    def _ends(self, process: Process, at: int, look: _Look) -> bool:
        uids, below = self._people[at], look.below[at]
        how = guardrails.reach(process, uids, look.rails)
        holds = how is Reach.SERVICE and self._holds(process.pid)
        return guardrails.ends(process, uids, look.rails, holds=holds, below=below)

    def _spares(self, process: Process, look: _Look) -> list[int]:
        """Return of whom *process* would be ended, were it not protected."""
        if not look.rails.protects(process.pid):
            return []
        free = look._replace(rails=Rails(services=look.rails.services))
        return [at for at in self._concerned(process, look) if self._unheld(process, at, free)]

    def _unheld(self, process: Process, at: int, look: _Look) -> bool:
        return guardrails.ends(process, self._people[at], look.rails, holds=False, below=look.below[at])

    def _holds(self, pid: int) -> bool:
        if self._holding is None:
            self._holding = self._read_holders()
        return pid in self._holding

    def _still(self, at: int, look: _Look) -> Callable[[int], bool]:
        def still(pid: int) -> bool:
            process = tasks.read(pid)
            return process is not None and not process.ended and self._ends(process, at, look)

        return still

    def _sweep(
        self, number: signal.Signals, whose: Collection[int], rails: Rails, done: Sequence[TerminationResult]
    ) -> None:
        left = sweep({uid for at in whose for uid in self._people[at]}, number, rails)
        for at in whose:
            done[at].unswept |= self._people[at] & left
