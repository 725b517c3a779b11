"""Signalling every process of some accounts at once, where that hits none that is never touched.

Rules of this file: whether the call may be made is asked before each (:func:`agent.offboard.guardrails.sweepable`).
Where it may not, or cannot be, the account's processes are for the caller to find one by one. While something on this
host lends itself to uids (Samba), no such call ends anything, because a process of that may work for the account by the
time it is made. It stops instead, what lends itself is let go on at once, whichever uid it has by then, and the
account's are killed one by one: what is stopped forks nothing. Whoever is killed between the two leaves a server
stopped, and lets it go on in the next run of the same person. SIGCONT means nothing to what is not stopped and drops a
SIGSTOP that has not come to pass yet, signal(7).
"""

import contextlib
import os
import signal
from collections.abc import Collection

from agent.offboard.guardrails import Process, Rails, Reach, lends, reach, sweepable
from agent.offboard.steps import signals, tasks


def sweep(uids: Collection[int], number: signal.Signals, rails: Rails) -> frozenset[int]:
    """Send *number* to every process of *uids*; SIGKILL by whichever way hits nobody else. Return who was not swept."""
    protected = [process for pid in rails.pids if (process := tasks.leader(pid))]
    lent = bool(tasks.lenders())
    swept = set()
    try:
        for uid in uids:
            if sweepable(uid, protected):
                with contextlib.suppress(OSError):  # the child could not be made, or was not let
                    signals.sweep(uid, signal.SIGSTOP if lent and number == signal.SIGKILL else number)
                    swept.add(uid)
    finally:
        if lent or number == signal.SIGSTOP:
            _let_go()
    if lent and number == signal.SIGKILL:
        _kill_each(swept, rails)
    return frozenset(uids) - swept


def _let_go() -> None:
    """Let what lends itself to uids go on: another one than before may have been hit."""
    for process in tasks.lenders():
        pidfd = signals.open_if(process.pid, lambda pid: (now := tasks.leader(pid)) is not None and lends(now))
        if pidfd is not None:
            with contextlib.suppress(PermissionError):
                signals.send(pidfd, signal.SIGCONT)
            os.close(pidfd)


def _kill_each(uids: Collection[int], rails: Rails) -> None:
    """Kill what is an account's own; what cannot be is found by the caller's next look."""

    def theirs(process: Process | None) -> bool:
        return process is not None and not process.ended and reach(process, uids, rails) is Reach.ACCOUNT

    for process in tasks.Look(uids):
        pidfd = signals.open_if(process.pid, lambda pid: theirs(tasks.read(pid))) if theirs(process) else None
        if pidfd is not None:
            with contextlib.suppress(PermissionError):
                signals.kill(pidfd)
            os.close(pidfd)
