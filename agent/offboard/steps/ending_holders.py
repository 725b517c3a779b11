"""Ending the processes that hold classified files, of one person or of many at once, until none is left.

Rules of this file: one look at all processes, and one at what these people's hold, serves everybody, so that the last
of fifty people is cut no later than the first; everybody's processes are struck before anybody's end is waited for. A
process is ended for a person only if it is theirs (:func:`agent.offboard.guardrails.ends`) and holds something of an
area that person loses; who else it serves loses it as well, and is named by the plan. Whether they lose it still is
asked after each look: what was given again before it may have been opened since, by right; only what is stopped is
ended all the same, because nobody lets it go on. Where something was found, it is stopped and killed by its pidfd
after it was looked at again. Whose processes replace each other faster than that (each hands on what it holds) loses
all of that account's, by one call that none of them outruns. Over for a person when two full looks in a row found
nothing of theirs, and for those who are left when patience ran out.
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
"""The areas that each process holds something of, and whether something of it is not cut by the kernel.

``""``: it holds something, and of which area cannot be told.
"""


class _Look(NamedTuple):
    """What was there at one look: processes, what they hold, and what is never touched."""

    processes: tuple[Process, ...]
    held: Held
    rails: Rails
    complete: bool
    unread: set[int]
    regained: dict[tuple[int, str], bool]  # by person and area, as far as it was asked


class HolderTerminator:
    """Ends what *subjects* hold of the areas they lose.

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
        """Return, for each person, what is to be ended now; end nobody."""
        look = self._look(self._context.rails())
        return [[one for one in look.processes if self._ends(one, at, look)] for at in range(len(self._subjects))]

    def stop(self) -> list[bool]:
        """Stop them, so that they do nothing more until :meth:`run` ends them; return who of the people had any."""
        found = [False] * len(self._subjects)
        rails = self._context.rails()
        # Nearly always these, and soon looked at.
        stopped = self._stop(self._seen(tuple(tasks.owned(self._uids)), rails), found)
        self._stop(self._look(rails, stopped), found)
        return found

    def _stop(self, look: _Look, found: list[bool]) -> set[int]:
        """Stop whom *look* shows; return which processes are stopped now, and stay what they are."""
        stopped = set()
        for process in look.processes:
            whose = self._whose(process, look)
            for at in whose:
                found[at] = True
            pidfd = self._open(process, look) if whose else None
            if pidfd is not None:
                with contextlib.suppress(PermissionError):  # what cannot be stopped cannot be ended either
                    signals.send(pidfd, signal.SIGSTOP)
                    stopped.add(process.pid)
                os.close(pidfd)
        return stopped

    def run(self, patience: float) -> list[TerminationResult]:
        """End them within *patience* seconds; return what came of it for each person. Raises nothing for who stays."""
        done = [TerminationResult() for _ in self._subjects]
        until = time.monotonic() + patience
        clean, found = [0] * len(done), [0] * len(done)
        while min(clean, default=_CLEAN) < _CLEAN and time.monotonic() < until:
            before = [len(one.killed) for one in done]
            free = self._round(done)
            clean = [looks + 1 if nobody else 0 for looks, nobody in zip(clean, free, strict=True)]
            for at, one in enumerate(done):
                found[at] = found[at] + 1 if len(one.killed) > before[at] else 0
                if found[at] >= _OUTRUN:
                    self._sweep(at, one)
                elif clean[at] and one.killed and one.gone_at is None:  # the first look after a sweep
                    one.gone_at = self._context.now()
        left = self.find() if min(clean, default=_CLEAN) < _CLEAN else [[] for _ in done]
        for one, looks, theirs in zip(done, clean, left, strict=True):
            one.sure = looks >= _CLEAN
            one.left = [] if one.sure else theirs
        return done

    def _round(self, done: Sequence[TerminationResult]) -> list[bool]:
        """End what one look finds; return of whom it saw everything and found nothing."""
        look = self._look(self._context.rails())
        free = [look.complete] * len(done)
        for one in done:
            one.unread = look.unread
        struck: dict[int, list[int]] = {}  # pidfd → whose it was
        try:
            for process in look.processes:
                if whose := self._whose(process, look):
                    for at in whose:
                        free[at] = False
                    pidfd = self._open(process, look)
                    if pidfd is not None:
                        struck[pidfd] = whose
                        for at in whose:
                            done[at].started.note(process.pid)
                        with contextlib.suppress(PermissionError):  # it stays, and is said to be left
                            signals.kill(pidfd)
                    for at in whose:
                        done[at].killed.setdefault(process.pid, process)
        finally:
            left = signals.wait(struck, _WAIT_MS)
            for pidfd in left:
                os.close(pidfd)
        now = self._context.now() if struck else None
        for at in {at for whose in struck.values() for at in whose}:
            if not any(at in struck[pidfd] for pidfd in left):
                done[at].gone_at = now
        return free

    def _sweep(self, at: int, done: TerminationResult) -> None:
        """End every process of the accounts of one person at once; the next look says whether they are gone."""
        uids = frozenset(self._subjects[at].uids)
        theirs = {uid: tuple(tasks.owned(frozenset((uid,)))) for uid in uids}
        left = sweep(uids, signal.SIGKILL, self._context.rails())
        done.unswept |= left
        for uid in uids - left:
            done.killed.update((process.pid, process) for process in theirs[uid])
            done.gone_at = None

    def _look(self, rails: Rails, known: AbstractSet[int] = frozenset()) -> _Look:
        look = tasks.Look(self._uids, [some for below in self._below for some in below])
        fresh = tuple(process for process in look if process.pid not in known)
        return self._seen(fresh, rails)._replace(complete=look.complete, unread=look.unread)

    def _seen(self, processes: tuple[Process, ...], rails: Rails) -> _Look:
        held = self._held(frozenset(process.pid for process in processes)) if processes else {}
        return _Look(processes, held, rails, complete=False, unread=set(), regained={})

    def _held(self, pids: AbstractSet[int]) -> Held:
        found: dict[int, dict[str, bool]] = {}
        asks = any(subject.uncut_only for subject in self._subjects)
        for one in self._context.held(self._context.devices(), pids=pids):
            area = self._context.area_of(one)
            if area is not None:
                areas = found.setdefault(one.pid, {})
                areas[area] = areas.get(area, False) or not asks or self._context.uncut(one)
        return found

    def _whose(self, process: Process, look: _Look) -> list[int]:
        return [at for at in range(len(self._subjects)) if self._ends(process, at, look)]

    def _ends(self, process: Process, at: int, look: _Look) -> bool:
        subject = self._subjects[at]
        areas = look.held.get(process.pid)
        if not areas or not guardrails.ends(process, subject.uids, look.rails, holds=True, below=self._below[at]):
            return False
        return any(
            (not area or not subject.areas or area in subject.areas)
            and (uncut or not subject.uncut_only)
            and (process.state in "Tt" or not self._regained(at, area, look))
            for area, uncut in areas.items()
        )

    def _regained(self, at: int, area: str, look: _Look) -> bool:
        if (at, area) not in look.regained:
            uids = self._subjects[at].uids
            with contextlib.suppress(ShoumiError):  # unknown: the decider denies them as well
                look.regained[at, area] = bool(area and uids) and all(self._may(uid, area) for uid in uids)
        return look.regained.get((at, area), False)

    def _open(self, process: Process, look: _Look) -> int | None:
        def still(pid: int) -> bool:
            now = tasks.read(pid)
            return now is not None and not now.ended and bool(self._whose(now, look))

        return signals.open_if(process.pid, still)
