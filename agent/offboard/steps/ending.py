"""Ending processes until none is left: stop, look, kill, wait for the real end, look again.

Rules of this file: first everything of an account is stopped in one call (its control group frozen where it has one),
so that what is then listed is what was there and nothing forks meanwhile. It is over when two full looks in a row found
nobody, or when patience ran out, and then it says who is left. A process in an uninterruptible wait dies when the
kernel lets it, and nobody else's end waits long for that (:class:`TerminationLimit`). A process has ended when its
pidfd says so: SIGKILL only asks. Each one is judged by :func:`agent.offboard.guardrails.ends`, before and after its
pidfd was opened.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.offboard import guardrails
from agent.offboard.guardrails import Process, Rails, Reach
from agent.offboard.steps import cgroups, signals, starters, tasks
from agent.offboard.steps.starters import StarterTally

PATIENCE = 5.0  # seconds; ordinary ends take milliseconds
SHOWN = 100  # processes named in the facts; the counts are complete
_WAIT_MS = 250.0
_CLEAN = 2  # full looks in a row that must find nobody


class TerminationLimit:
    """How long to go on. Of one run: it begins when it is made.

    Over after :data:`PATIENCE` seconds; and after *uninterruptible* seconds if so many full looks in a row as make sure
    have found nobody but processes that were killed before and that the kernel does not let end.
    """

    def __init__(self, uninterruptible: float, patience: float = PATIENCE) -> None:
        self._begun = time.monotonic()
        self._until = self._begun + patience
        self._uninterruptible = uninterruptible
        self._alike = 0

    def over(self) -> bool:
        """Whether it is."""
        now = time.monotonic()
        return now >= self._until or (self._alike >= _CLEAN and now - self._begun >= self._uninterruptible)

    def looked(self, found: Iterable[Process], killed: Container[int], *, complete: bool) -> None:
        """Take in what a look *found*, and whom earlier rounds have *killed*."""
        alike = complete and all(process.uninterruptible and process.pid in killed for process in found)
        self._alike = self._alike + 1 if alike else 0


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


class ProcessTerminator:
    """Ends the processes of one person. *holders* returns the pids that hold classified data; it may be slow.

    *below* returns the person's subordinate uids. See :mod:`agent.offboard.steps.ending_holders` for who stays.
    """

    def __init__(
        self,
        uids: Collection[int],
        rails: Callable[[], Rails],
        now: Callable[[], datetime],
        holders: Callable[[], AbstractSet[int]] = frozenset,
        *,
        below: Callable[[], Sequence[range]] = tuple,
    ) -> None:
        self._uids = [uid for uid in uids if guardrails.ordinary(uid)]
        self._read_rails = rails
        self._now = now
        self._read_holders = holders
        self._read_below = below
        self._rails = rails()
        self._below: Sequence[range] = ()
        self._holding: AbstractSet[int] | None = None
        self._tree = cgroups.root()

    def run(self, uninterruptible: float = PATIENCE, *, patience: float = PATIENCE) -> TerminationResult:
        """End them, see :class:`TerminationLimit`. Raises nothing for a process that will not end: it is ``left``."""
        done = TerminationResult()
        until = TerminationLimit(uninterruptible, patience)
        for uid in self._uids:
            done.groups += self._tree is not None and cgroups.of_uid(self._tree, uid).end(self._still)
        self._sweep(signal.SIGSTOP, done)
        clean = 0
        while clean < _CLEAN and not until.over():
            clean = clean + 1 if self._round(done, until) else 0
        done.sure = clean == _CLEAN
        done.left = [] if done.sure else self.find()
        return done

    def stop(self) -> None:
        """Stop them in one call, so that they do nothing more until :meth:`run` ends them.

        What a call cannot reach (by login only) goes on until then.
        """
        self._sweep(signal.SIGSTOP, TerminationResult())

    def find(self) -> list[Process]:
        """Return who is to be ended now; ends nobody."""
        self._read()
        return [process for process in tasks.Look(self._uids, self._below) if self._ends(process)]

    def _round(self, done: TerminationResult, until: TerminationLimit) -> bool:
        """Look at everyone, end whom it finds at once, wait for them; return whether there was nobody."""
        self._read()
        look = tasks.Look(self._uids, self._below)
        found: list[Process] = []
        before = frozenset(done.killed)
        done.unread = look.unread
        pidfds: list[int] = []
        try:
            for process in look:
                if self._ends(process):
                    found.append(process)
                    pidfds += self._strike(process, done)
                elif self._spares(process):
                    done.spared.add(process.pid)
            if found:
                self._sweep(signal.SIGKILL, done)
        finally:
            left = signals.wait(pidfds, _WAIT_MS)
            for pidfd in left:
                os.close(pidfd)
        if pidfds and not left:
            done.gone_at = self._now()
        until.looked(found, before, complete=look.complete)
        return look.complete and not found

    def _strike(self, process: Process, done: TerminationResult) -> list[int]:
        """Kill *process*, with its whole control group if that is the person's; return its pidfd to wait on."""
        pidfd = signals.open_if(process.pid, self._still)
        if pidfd is None:
            return []
        done.started.note(process.pid)
        done.killed[process.pid] = process
        if self._tree:
            done.groups += cgroups.of_pid(self._tree, process.pid).end(self._still)
        with contextlib.suppress(PermissionError):  # it stays, and is said to be left
            signals.kill(pidfd)
        return [pidfd]

    def _read(self) -> None:
        self._rails = self._read_rails()
        self._below = self._read_below()
        self._holding = None

    def _ends(self, process: Process) -> bool:
        holds = guardrails.reach(process, self._uids, self._rails) is Reach.SERVICE and self._holds(process.pid)
        return guardrails.ends(process, self._uids, self._rails, holds=holds, below=self._below)

    def _spares(self, process: Process) -> bool:
        without = Rails(services=self._rails.services)
        free = guardrails.ends(process, self._uids, without, holds=False, below=self._below)
        return free and self._rails.protects(process.pid)

    def _holds(self, pid: int) -> bool:
        if self._holding is None:
            self._holding = self._read_holders()
        return pid in self._holding

    def _still(self, pid: int) -> bool:
        process = tasks.read(pid)
        return process is not None and not process.ended and self._ends(process)

    def _sweep(self, number: signal.Signals, done: TerminationResult) -> None:
        protected = [process for pid in self._rails.pids if (process := tasks.read(pid, frozenset()))]
        for uid in self._uids:
            if guardrails.sweepable(uid, protected):
                try:
                    signals.sweep(uid, number)
                except OSError:  # the child could not be made, or was not let: they are ended one by one
                    done.unswept.add(uid)
            else:
                done.unswept.add(uid)
