"""Signals: to one process through its pidfd, or to everything a uid has in one call that no fork can outrun.

Rules of this file: a pid is checked after its pidfd was opened, so a number that changed hands is noticed and the
signal goes to the process that was looked at or to none. ``kill(-1)`` knows no exceptions, so it is sent only by a
child that has given up every right except being that uid, and has made sure of it.
Sources: pidfd_open(2), pidfd_send_signal(2), kill(2), setresuid(2), capabilities(7).
"""

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from agent.offboard.guardrails import FIRST_UNUSED

_PATIENCE_MS = 2000


def open_if(pid: int, still: Callable[[int], bool]) -> int | None:
    """Return a pidfd of *pid* when it is still the process meant, ``None`` when not. The caller closes it."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:  # gone, or a thread id by now
        return None
    if still(pid):
        return pidfd
    os.close(pidfd)
    return None


def kill(pidfd: int) -> None:
    """Send SIGKILL; a process that has ended meanwhile is fine. Raises ``PermissionError``."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def wait(pidfds: Iterable[int], milliseconds: float) -> list[int]:
    """Wait until all of these processes have really ended, close their pidfds, and return those that have not."""
    poller = select.poll()
    left = set()
    for pidfd in pidfds:
        poller.register(pidfd, select.POLLIN)
        left.add(pidfd)
    until = _now_ms() + milliseconds
    while left and (rest := until - _now_ms()) > 0:
        for pidfd, _ in poller.poll(rest):
            poller.unregister(pidfd)
            left.discard(pidfd)
            os.close(pidfd)
    return sorted(left)


def sweep(uid: int, number: signal.Signals) -> None:
    """Signal every process whose real or saved uid is *uid*, all in one call. Ask ``guardrails.sweepable`` first.

    Raises ``OSError`` when the child could not become that uid or did not end. The child takes *uid* as its effective
    uid alone, which lets it signal them (kill(2)) and lets none of them signal, stop or trace it.
    """
    pid = os.fork()
    if pid == 0:
        _sweep(uid, number)
    pidfd = os.pidfd_open(pid)
    if wait([pidfd], _PATIENCE_MS):
        kill(pidfd)
        os.close(pidfd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status if status > 0 else errno.EINTR, "the sweep failed", f"uid {uid}")


def _sweep(uid: int, number: signal.Signals) -> NoReturn:
    code = errno.EPERM
    try:
        shelter = FIRST_UNUSED + os.getpid()  # a real and saved uid of its own: two sweeps at once do not meet either
        try:
            os.setresuid(shelter, uid, shelter)
        except OSError:  # a user namespace that does not map it
            os.setresuid(uid, uid, uid)
        if 0 not in os.getresuid() and os.geteuid() == uid and _powerless():
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, number)
            code = 0
    except OSError as failed:
        code = failed.errno or errno.EIO
    finally:
        os._exit(code)


def _powerless() -> bool:
    """Whether this process has no capability: with CAP_KILL, ``kill(-1)`` would mean every process of the machine.

    Leaving uid 0 clears them, unless a securebit says otherwise.
    """
    status = Path("/proc/self/status").read_bytes().splitlines()
    return any(line.startswith(b"CapEff:") and int(line.split()[1], 16) == 0 for line in status)


def _now_ms() -> float:
    return time.monotonic() * 1000
