"""Holder cuts: stopping and ending processes that hold files without a right, where the kernel does not cut the use.

Rules of this file:
- only a use that the kernel does not refuse (:func:`rules.tiers.cuts`) is a reason, and only for a process that a run
  may end (:mod:`agent.offboard.guardrails`): a process of an account, or one started from its login under any uid;
  never the agent, a registered service account, or processes of root and the system without a login;
- the reason is a right that ended, not one that never existed: a process that holds a file at the first scan of an
  area, and was started before the area was guarded, is reported by the findings of that area instead;
- a process is stopped at once and ended a little later, so that a run (of a hold, a departure, a lapsed grant) ends it
  first, with a receipt. A process that regains the right is continued;
- each process is in the log before it is stopped; if the entry cannot be written, the next scan tries again;
- the next control process knows the stopped processes and the earlier holders, and continues from there.
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

GRACE = 4.0  # seconds in which a run may end the process first
_WAIT_MS = 250.0


def use_of(held_file: HeldFile) -> Use | None:
    """Return the strongest use that *held_file* permits; ``None`` when it does not reveal file content.

    A descriptor in transit in a socket or a ring names no file. Raises ``OSError`` when it is closed.
    """
    if held_file.how == "map":
        return Use.MAP
    if held_file.how != "fd":
        return None
    return Use.WRITE if os.lstat(held_file.link).st_mode & stat.S_IWUSR else Use.READ  # proc_pid_fd(5)


def first_seen(
    holds: Iterable[UncutHold], known_areas: frozenset[str], guarded: Mapping[str, int]
) -> frozenset[UncutHold]:
    """Return those of *holds* that may be older than the guard of their area, which is not in *known_areas* yet.

    *guarded*: since when each area is guarded, in the unit of process starts. A process started later is not older.
    """
    return frozenset(
        hold for hold in holds if hold.area not in known_areas and hold.started <= guarded.get(hold.area, hold.started)
    )


class HolderCuts:
    """Processes to be ended, over successive scans. Belongs to the thread of scans.

    *tiers* returns the tier of each area, *guarded* since when (:func:`agent.kernel.start_time.ticks_now`), *rails* the
    protected processes; *append* writes an entry and may raise ``ShoumiError``. *stopped* maps stopped processes to the
    instant, *seen_holders* keeps the results of earlier scans; both survive this process.
    """

    def __init__(
        self,
        tiers: Callable[[], Mapping[str, Tier]],
        guarded: Callable[[], Mapping[str, int]],
        rails: Callable[[], Rails],
        append: Callable[[Mapping[str, Any]], object],
        stopped: MutableMapping[Stopped, float],
        seen_holders: SeenHolders,
    ) -> None:
        self._tiers = tiers
        self._guarded = guarded
        self._rails = rails
        self._append = append
        self._seen_holders = seen_holders
        self._now: Mapping[str, Tier] = {}
        self._denied: list[UncutHold] = []
        self._stopped = stopped

    def begin(self) -> None:
        """Begin a scan."""
        self._now = self._tiers()
        self._denied = []

    def concerns(self, held_file: HeldFile, area: str | None) -> bool:
        """Return whether the kernel does not cut the use of *held_file* in *area*."""
        tier = self._now.get(area, "none") if area else "none"
        if tier == "none":
            return False
        try:
            use = use_of(held_file)
        except OSError:
            return False
        return use is not None and not cuts(tier, use)

    def denied(self, held_file: HeldFile, area: str) -> None:
        """Record that the process of *held_file*, for which :meth:`concerns` is true, has no right to it."""
        started = start_time(held_file.pid)
        if started is not None:
            tier = self._now[area]
            self._denied.append(UncutHold(held_file.pid, started, held_file.device, held_file.inode, area, tier))

    def finish(self, still: Callable[[UncutHold], bool]) -> None:
        """End the scan: stop processes that lost the right to files they hold, if *still* true; end those stopped
        before.

        Raises ``ShoumiError`` when an entry cannot be written.
        """
        fresh = first_seen(self._denied, self._seen_holders.areas, self._guarded())
        before = self._seen_holders.before.union(fresh).intersection(self._denied)
        before = frozenset(hold for hold in before if (hold.pid, hold.started) not in self._stopped)
        self._seen_holders.keep(self._now, before)
        ends: dict[int, UncutHold] = {}
        for hold in self._denied:
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
            for descriptor in signals.wait(pidfds, _WAIT_MS):
                os.close(descriptor)

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
        """Return whether the process was killed; otherwise it is stopped, for the first time or again."""
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
    """Return the accounts of a process and of the login it was started from."""
    return frozenset(
        uid
        for identity in process.identities
        for uid in (identity.ruid, identity.suid, identity.login)
        if uid is not None
    )


def _continue(pid: int, started: int) -> None:
    pidfd = signals.open_if(pid, lambda number: start_time(number) == started)
    if pidfd is not None:
        signals.send(pidfd, signal.SIGCONT)
        os.close(pidfd)
