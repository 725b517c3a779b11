"""Ending of the processes that hold classified files, of one person or of many at once, until none remains.

Rules of this file: one scan of all processes, and one of the files they hold, serves all people, so that the last of
fifty people is cut no later than the first; all processes are struck before any end is waited for. A process is ended
for a person only if it is theirs (:func:`agent.offboard.guardrails.ends`) and holds something of an area that the
person loses; other people it serves lose it as well, and are named by the plan. After each scan the right is checked
again: an area granted again before that may have been opened since, by right; only a process already stopped is ended
all the same, because nothing resumes it. A process found is stopped and killed by its pidfd after a second check. If
processes replace each other faster than that (each hands on what it holds), all processes of that account are ended, by
one call that none of them outruns. The work is over for a person when two full scans in a row found nothing of theirs,
and for the remaining people when patience runs out.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from agent.errors import ShoumiError
from agent.offboard import guardrails
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import Process, Rails
from agent.offboard.steps import signals, subids, tasks
from agent.offboard.steps.ending import TerminationResult
from agent.offboard.steps.sweeping import sweep

_WAIT_MS = 250.0
_CLEAN = 2
_OUTRUN = 2  # rounds, each of which ended something, after which more would be found for ever

Held = Mapping[int, Mapping[str, bool]]
"""The areas of which each process holds files, and whether the kernel still lets it use one of them.

``""``: files of an unknown area.
"""


class _Snapshot(NamedTuple):
    """The result of one scan: processes, the files they hold, and protected processes."""

    processes: tuple[Process, ...]
    held: Held
    rails: Rails
    complete: bool
    unread: set[int]
    regained: dict[tuple[int, str], bool]  # by person and area, as far as queried


class HolderTerminator:
    """Ends the processes by which *subjects* hold files of the areas they lose.

    *may*: whether an account may open an area after all (:class:`agent.offboard.context.RevocationContext`).
    """

    def __init__(
        self, subjects: Sequence[RevocationSubject], context: RevocationContext, may: Callable[[int, str], bool]
    ) -> None:
        self._may = may
        self._subjects = subjects
        self._context = context
        self._below = [subids.of(subject, context) for subject in subjects]
        self._uids = frozenset(uid for subject in subjects for uid in subject.uids if guardrails.ordinary(uid))

    def find(self) -> list[list[Process]]:
        """Return, for each person, the processes to be ended now; end none."""
        snapshot = self._take_snapshot(self._context.rails())
        return [
            [process for process in snapshot.processes if self._ends(process, at, snapshot)]
            for at in range(len(self._subjects))
        ]

    def stop(self) -> list[bool]:
        """Stop them, so that they do nothing more until :meth:`run` ends them; return which of the people had any."""
        has_targets = [False] * len(self._subjects)
        rails = self._context.rails()
        # These are nearly always all of them, and quickly scanned.
        stopped = self._stop(self._snapshot_of(tuple(tasks.owned(self._uids)), rails), has_targets)
        self._stop(self._take_snapshot(rails, stopped), has_targets)
        return has_targets

    def _stop(self, snapshot: _Snapshot, has_targets: list[bool]) -> set[int]:
        """Stop the processes in *snapshot*; return which are stopped now, and stay what they are."""
        stopped = set()
        for process in snapshot.processes:
            whose = self._whose(process, snapshot)
            for at in whose:
                has_targets[at] = True
            pidfd = self._open(process, snapshot) if whose else None
            if pidfd is not None:
                with contextlib.suppress(PermissionError):  # what cannot be stopped cannot be ended either
                    signals.send(pidfd, signal.SIGSTOP)
                    stopped.add(process.pid)
                os.close(pidfd)
        return stopped

    def run(self, patience: float) -> list[TerminationResult]:
        """End them within *patience* seconds; return the result for each person. Raises nothing for survivors."""
        outcomes = [TerminationResult() for _ in self._subjects]
        until = time.monotonic() + patience
        clean, rounds_with_kills = [0] * len(outcomes), [0] * len(outcomes)
        while min(clean, default=_CLEAN) < _CLEAN and time.monotonic() < until:
            before = [len(outcome.killed) for outcome in outcomes]
            free = self._round(outcomes)
            clean = [looks + 1 if nobody else 0 for looks, nobody in zip(clean, free, strict=True)]
            for at, outcome in enumerate(outcomes):
                rounds_with_kills[at] = rounds_with_kills[at] + 1 if len(outcome.killed) > before[at] else 0
                if rounds_with_kills[at] >= _OUTRUN:
                    self._sweep(at, outcome)
                elif clean[at] and outcome.killed and outcome.gone_at is None:  # the first scan after a sweep
                    outcome.gone_at = self._context.now()
        survivors = self.find() if min(clean, default=_CLEAN) < _CLEAN else [[] for _ in outcomes]
        for outcome, looks, remaining in zip(outcomes, clean, survivors, strict=True):
            outcome.sure = looks >= _CLEAN
            outcome.survivors = [] if outcome.sure else remaining
        return outcomes

    def _round(self, outcomes: Sequence[TerminationResult]) -> list[bool]:
        """End the processes that one scan finds; return for whom it read everything and found nothing."""
        snapshot = self._take_snapshot(self._context.rails())
        free = [snapshot.complete] * len(outcomes)
        for outcome in outcomes:
            outcome.unread = snapshot.unread
        struck: dict[int, list[int]] = {}  # pidfd → the people it belongs to
        try:
            for process in snapshot.processes:
                if whose := self._whose(process, snapshot):
                    for at in whose:
                        free[at] = False
                    pidfd = self._open(process, snapshot)
                    if pidfd is not None:
                        struck[pidfd] = whose
                        for at in whose:
                            outcomes[at].started.note(process.pid)
                        with contextlib.suppress(PermissionError):  # it stays, and is reported as a survivor
                            signals.kill(pidfd)
                    for at in whose:
                        outcomes[at].killed.setdefault(process.pid, process)
        finally:
            running = signals.wait(struck, _WAIT_MS)
            for pidfd in running:
                os.close(pidfd)
        now = self._context.now() if struck else None
        for at in {at for whose in struck.values() for at in whose}:
            if not any(at in struck[pidfd] for pidfd in running):
                outcomes[at].gone_at = now
        return free

    def _sweep(self, at: int, outcome: TerminationResult) -> None:
        """End every process of the accounts of one person at once; the next scan shows whether they are gone."""
        uids = frozenset(self._subjects[at].uids)
        processes_of = {uid: tuple(tasks.owned(frozenset((uid,)))) for uid in uids}
        unswept = sweep(uids, signal.SIGKILL, self._context.rails())
        outcome.unswept |= unswept
        for uid in uids - unswept:
            outcome.killed.update((process.pid, process) for process in processes_of[uid])
            outcome.gone_at = None

    def _take_snapshot(self, rails: Rails, excluded: AbstractSet[int] = frozenset()) -> _Snapshot:
        processes_seen = tasks.Look(self._uids, [uid_range for below in self._below for uid_range in below])
        fresh = tuple(process for process in processes_seen if process.pid not in excluded)
        return self._snapshot_of(fresh, rails)._replace(complete=processes_seen.complete, unread=processes_seen.unread)

    def _snapshot_of(self, processes: tuple[Process, ...], rails: Rails) -> _Snapshot:
        held = self._held(frozenset(process.pid for process in processes)) if processes else {}
        return _Snapshot(processes, held, rails, complete=False, unread=set(), regained={})

    def _held(self, pids: AbstractSet[int]) -> Held:
        areas_of: dict[int, dict[str, bool]] = {}
        asks = any(subject.uncut_only for subject in self._subjects)
        for held_file in self._context.held(self._context.devices(), pids=pids):
            area = self._context.area_of(held_file)
            if area is not None:
                areas = areas_of.setdefault(held_file.pid, {})
                areas[area] = areas.get(area, False) or not asks or self._context.uncut(held_file)
        return areas_of

    def _whose(self, process: Process, snapshot: _Snapshot) -> list[int]:
        return [at for at in range(len(self._subjects)) if self._ends(process, at, snapshot)]

    def _ends(self, process: Process, at: int, snapshot: _Snapshot) -> bool:
        subject = self._subjects[at]
        areas = snapshot.held.get(process.pid)
        if not areas or not guardrails.ends(process, subject.uids, snapshot.rails, holds=True, below=self._below[at]):
            return False
        return any(
            (not area or not subject.areas or area in subject.areas)
            and (uncut or not subject.uncut_only)
            and (process.state in "Tt" or not self._regained(at, area, snapshot))
            for area, uncut in areas.items()
        )

    def _regained(self, at: int, area: str, snapshot: _Snapshot) -> bool:
        if (at, area) not in snapshot.regained:
            uids = self._subjects[at].uids
            with contextlib.suppress(ShoumiError):  # unknown: the decider denies them as well
                snapshot.regained[at, area] = bool(area and uids) and all(self._may(uid, area) for uid in uids)
        return snapshot.regained.get((at, area), False)

    def _open(self, process: Process, snapshot: _Snapshot) -> int | None:
        def still(pid: int) -> bool:
            now = tasks.read(pid)
            return now is not None and not now.ended and bool(self._whose(now, snapshot))

        return signals.open_if(process.pid, still)
