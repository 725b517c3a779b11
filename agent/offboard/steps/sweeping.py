"""Sweeps: signalling every process of some accounts at once, where that hits no protected process.

Rules of this file: whether the call may be made is checked before each (:func:`agent.offboard.guardrails.sweepable`).
Where it may not, or cannot be, the caller finds the account's processes one by one. While a process on this host lends
itself to uids (Samba), no such call ends anything, because that process may work for the account by the time of the
call. It stops instead, the lending process is resumed at once, whichever uid it has by then, and the account's
processes are killed one by one: a stopped process forks nothing. If the agent is killed between the two, a server
stays stopped, and the next run of the same person resumes it. SIGCONT means nothing to a process that is not stopped
and drops a pending SIGSTOP, signal(7).
"""

import contextlib
import os
import signal
from collections.abc import Collection

from agent.offboard.guardrails import Process, Rails, Reach, lends, reach, sweepable
from agent.offboard.steps import signals, tasks


def sweep(uids: Collection[int], number: signal.Signals, rails: Rails) -> frozenset[int]:
    """Send *number* to every process of *uids*, SIGKILL in a way that hits no other; return the uids not swept."""
    protected = [process for pid in rails.pids if (process := tasks.leader(pid))]
    lent = bool(tasks.lenders())
    swept = set()
    try:
        for uid in uids:
            if sweepable(uid, protected):
                with contextlib.suppress(OSError):  # the child could not be made, or was not permitted
                    signals.sweep(uid, signal.SIGSTOP if lent and number == signal.SIGKILL else number)
                    swept.add(uid)
    finally:
        if lent or number == signal.SIGSTOP:
            _let_go()
    if lent and number == signal.SIGKILL:
        _kill_each(swept, rails)
    return frozenset(uids) - swept


def _let_go() -> None:
    """Resume the processes that lend themselves to uids: another one than before may have been hit."""
    for process in tasks.lenders():
        pidfd = signals.open_if(process.pid, lambda pid: (now := tasks.leader(pid)) is not None and lends(now))
        if pidfd is not None:
            with contextlib.suppress(PermissionError):
                signals.send(pidfd, signal.SIGCONT)
            os.close(pidfd)


def _kill_each(uids: Collection[int], rails: Rails) -> None:
    """Kill the account's own processes; the caller's next scan finds those that cannot be killed."""

    def is_own(process: Process | None) -> bool:
        return process is not None and not process.ended and reach(process, uids, rails) is Reach.ACCOUNT

    for process in tasks.Look(uids):
        pidfd = signals.open_if(process.pid, lambda pid: is_own(tasks.read(pid))) if is_own(process) else None
        if pidfd is not None:
            with contextlib.suppress(PermissionError):
                signals.kill(pidfd)
            os.close(pidfd)
