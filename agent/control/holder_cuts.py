"""Stopping and ending processes that hold what they may not use any more, where the kernel does not cut that use.

Rules of this file:
- only what the kernel does not refuse by itself (:func:`rules.tiers.cuts`) is a reason, and only of a process that may
  be ended at all (:mod:`agent.offboard.guardrails`), as by a run: an account's own, and what was started from its login
  whoever it runs as; never the agent, a registered service, what root and the system run for nobody;
- rights that ended are the reason, and not that there never were any: who holds something when an area is first looked
  at, and was started before it was guarded, was there before it, and is named by the findings of that area;
- a process is stopped at once and ended a little later: what has a run of its own (a hold, a departure, a lapsed grant)
  is ended by that first, with its receipt. Who may go on after all goes on;
- each is in the log before it is stopped; one whose entry cannot be written is looked at again at the next look;
- what is stopped, and what was seen, is known to the next control process, which goes on from there.
"""

import os
import signal
import stat
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from agent.control.seen_holders import SeenHolders, UncutHold
from agent.control.stopped_processes import Stopped
from agent.kernel.open_files import HeldFile
from agent.kernel.start_time import start_time
from agent.offboard.guardrails import Process, Rails, ends
from agent.offboard.steps import signals, tasks
from rules.tiers import Tier, Use, cuts
from rules.visible import visible

GRACE = 4.0  # seconds a run has to end a process first
_WAIT_MS = 250.0


def use_of(found: HeldFile) -> Use | None:
    """Return the most that can be done through *found*; ``None``: nothing that shows what is in a file.

    A descriptor that waits in a socket or a ring names no file. Raises ``OSError`` when it is gone.
    """
    if found.how == "map":
        return Use.MAP
    if found.how != "fd":
        return None
    return Use.WRITE if os.lstat(found.link).st_mode & stat.S_IWUSR else Use.READ  # proc_pid_fd(5)


def first_seen(
    holds: Iterable[UncutHold], known_areas: frozenset[str], guarded: Mapping[str, int]
) -> frozenset[UncutHold]:
    """Return those of *holds* that may have been there before their area, which is none of *known_areas* yet.

    *guarded*: since when each area is, as process starts are counted. Whoever was started later was never there before.
    """
    return frozenset(
        hold for hold in holds if hold.area not in known_areas and hold.started <= guarded.get(hold.area, hold.started)
    )


class HolderCuts:
    """What one look after another found to be ended. Belongs to the thread of looks.

    *tiers* says how each area is protected now, *guarded* since when (:func:`agent.kernel.start_time.ticks_now`),
    *rails* what is never touched; *append* writes an entry and may raise ``ShoumiError``. *stopped* has since when each
    process is stopped, *seen* what earlier looks have seen; both outlive us.
    """

    def __init__(
        self,
        tiers: Callable[[], Mapping[str, Tier]],
        guarded: Callable[[], Mapping[str, int]],
        rails: Callable[[], Rails],
        append: Callable[[Mapping[str, Any]], object],
        stopped: MutableMapping[Stopped, float],
        seen: SeenHolders,
    ) -> None:
        self._tiers = tiers
        self._guarded = guarded
        self._rails = rails
        self._append = append
        self._seen = seen
        self._now: Mapping[str, Tier] = {}
        self._found: list[UncutHold] = []
        self._stopped = stopped

    def begin(self) -> None:
        """Begin a look."""
        self._now = self._tiers()
        self._found = []

    def concerns(self, found: HeldFile, area: str | None) -> bool:
        """Whether what is *found* in *area* is of a kind that the kernel does not cut there."""
        tier = self._now.get(area, "none") if area else "none"
        if tier == "none":
            return False
        try:
            use = use_of(found)
        except OSError:
            return False
        return use is not None and not cuts(tier, use)

    def denied(self, found: HeldFile, area: str) -> None:
        """Take note that the process of *found*, which :meth:`concerns` us, may not go on with it."""
        started = start_time(found.pid)
        if started is not None:
            tier = self._now[area]
            self._found.append(UncutHold(found.pid, started, found.device, found.inode, area, tier))

    def finish(self, still: Callable[[UncutHold], bool]) -> None:
        """End the look: stop who has lost the right to what they hold, if that is still so; end who was stopped before.

        Raises ``ShoumiError`` when an entry cannot be written.
        """
        fresh = first_seen(self._found, self._seen.areas, self._guarded())
        before = self._seen.before.union(fresh).intersection(self._found)
        before = frozenset(hold for hold in before if (hold.pid, hold.started) not in self._stopped)
        self._seen.keep(self._now, before)
        ends: dict[int, UncutHold] = {}
        for hold in self._found:
            if hold not in before:
                ends.setdefault(hold.pid, hold)
        for process in self._stopped.keys() - {(hold.pid, hold.started) for hold in ends.values()}:
            del self._stopped[process]
            _continue(*process)
        self._end(list(ends.values()), still)

    def _end(self, holds: Sequence[UncutHold], still: Callable[[UncutHold], bool]) -> None:
        if not holds:
            return
        rails = self._rails()
        pidfds: list[int] = []
        try:
            for hold in holds:
                pidfd = self._strike(hold, rails, still)
                pidfds += [] if pidfd is None else [pidfd]
        finally:
            for left in signals.wait(pidfds, _WAIT_MS):
                os.close(left)

    def _strike(self, hold: UncutHold, rails: Rails, still: Callable[[UncutHold], bool]) -> int | None:
        process = tasks.read(hold.pid)
        if process is None or (process.ruid, process.executable) in rails.services:
            return None
        if not ends(process, _accounts(process), rails, holds=True):
            return None
        pidfd = signals.open_if(hold.pid, lambda pid: start_time(pid) == hold.started and still(hold))
        if pidfd is None:
            return None
        killed = False
        try:
            killed = self._stop_or_kill(hold, process, pidfd)
        finally:
            if not killed:
                os.close(pidfd)
        return pidfd if killed else None

    def _stop_or_kill(self, hold: UncutHold, process: Process, pidfd: int) -> bool:
        """Whether it was killed; else it is stopped, for the first time or again."""
        since = self._stopped.get((hold.pid, hold.started))
        if since is None:
            self._append({"kind": "holder-ended", "area": hold.area, "tier": hold.tier, "pid": hold.pid,
                          "uid": process.ruid, "exe": visible(process.executable)})  # fmt: skip
            since = self._stopped[hold.pid, hold.started] = time.monotonic()
        if time.monotonic() - since < GRACE:
            signals.send(pidfd, signal.SIGSTOP)
            return False
        del self._stopped[hold.pid, hold.started]
        signals.kill(pidfd)
        return True


def _accounts(process: Process) -> frozenset[int]:
    """Return the accounts whose process it is, or from whose login it was started."""
    return frozenset(uid for one in process.identities for uid in (one.ruid, one.suid, one.login) if uid is not None)


def _continue(pid: int, started: int) -> None:
    pidfd = signals.open_if(pid, lambda number: start_time(number) == started)
    if pidfd is not None:
        signals.send(pidfd, signal.SIGCONT)
        os.close(pidfd)
