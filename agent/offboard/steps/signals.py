"""Signals: to one process through its pidfd, or to all processes of a uid in one call that no fork can outrun.

Rules of this file: a pid is checked after its pidfd was opened, so a reused number is noticed and the signal goes to
the process that was checked or to none. ``kill(-1)`` knows no exceptions but the caller's own process, so it is sent
only by a thread that has given up every right except being that uid, has verified it, and ends then. To the kernel uids
and capabilities are a thread's own; a child would do as well, and its fork takes ten times as long.
Sources: pidfd_open(2), pidfd_send_signal(2), kill(2), setresuid(2), capabilities(7), nptl(7).
"""

import contextlib
import ctypes
import errno
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from agent.offboard.guardrails import FIRST_UNUSED

_PATIENCE_MS = 2000
# No C library offers it for one thread. Of the 64-bit machines those with the generic table, and one with its own.
_NUMBERS = {"x86_64": 117, "aarch64": 147, "riscv64": 147, "loongarch64": 147}
_SETRESUID = _NUMBERS.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
_libc = ctypes.CDLL(None, use_errno=True)


def open_if(pid: int, still: Callable[[int], bool]) -> int | None:
    """Return a pidfd of *pid* when it is still the process meant, ``None`` when not. The caller closes it."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:  # it ended, or the number is now a thread id
        return None
    if still(pid):
        return pidfd
    os.close(pidfd)
    return None


def send(pidfd: int, number: signal.Signals) -> None:
    """Send one signal; a process that has ended meanwhile is fine. Raises ``PermissionError``."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, number)


def kill(pidfd: int) -> None:
    """Send SIGKILL. Raises ``PermissionError``."""
    send(pidfd, signal.SIGKILL)


def wait(pidfds: Iterable[int], milliseconds: float) -> list[int]:
    """Wait until all of these processes have really ended, close their pidfds, and return those that have not."""
    poller = select.poll()
    running = set()
    for pidfd in pidfds:
        poller.register(pidfd, select.POLLIN)
        running.add(pidfd)
    until = _now_ms() + milliseconds
    while running and (timeout := until - _now_ms()) > 0:
        for pidfd, _ in poller.poll(timeout):
            poller.unregister(pidfd)
            running.discard(pidfd)
            os.close(pidfd)
    return sorted(running)


def sweep(uid: int, number: signal.Signals) -> None:
    """Signal every process whose real or saved uid is *uid*, all in one call. Check ``guardrails.sweepable`` first.

    Raises ``OSError`` when that could not be sent. The sender takes *uid* as its effective uid alone, which lets it
    signal them (kill(2)) and lets none of them signal, stop or trace it.
    """
    if _SETRESUID is None or not _swept_by_thread(uid, number):
        _sweep_by_child(uid, number)


def _swept_by_thread(uid: int, number: signal.Signals) -> bool:
    """Send it from a thread; return whether one could be made that is out of the reach of *uid*: it is part of us."""
    stages: list[str] = []

    def send() -> None:
        with contextlib.suppress(OSError):
            _thread_setresuid(_shelter(), uid, _shelter())  # fails in a user namespace that does not map it
            stages.append("sheltered")
            _send(uid, number)
            stages.append("sent")

    thread = threading.Thread(target=send, name="sweep")
    try:
        thread.start()
    except RuntimeError:  # no thread left
        return False
    thread.join()
    if stages == ["sheltered"]:
        raise PermissionError(errno.EPERM, "the sweep failed", f"uid {uid}")
    return bool(stages)


def _sweep_by_child(uid: int, number: signal.Signals) -> None:
    pid = os.fork()
    if pid == 0:
        code = errno.EPERM
        try:
            try:
                os.setresuid(_shelter(), uid, _shelter())
            except OSError:
                os.setresuid(uid, uid, uid)
            _send(uid, number)
            code = 0
        finally:
            os._exit(code)
    pidfd = os.pidfd_open(pid)
    if wait([pidfd], _PATIENCE_MS):
        kill(pidfd)
        os.close(pidfd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status if status > 0 else errno.EINTR, "the sweep failed", f"uid {uid}")


def _send(uid: int, number: signal.Signals) -> None:
    """Signal everything of *uid*, when that is all the calling thread may still do. Raises ``OSError``."""
    if 0 in os.getresuid() or os.geteuid() != uid or not _powerless():
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, number)


def _shelter() -> int:
    """Return a real and saved uid of the sender's own: no process has it, and two senders have different ones."""
    return FIRST_UNUSED + threading.get_native_id()


def _thread_setresuid(real: int, effective: int, saved: int) -> None:
    """Change the uids of the calling thread alone: the wrapper in the C library would change all of them, nptl(7)."""
    if _libc.syscall(_SETRESUID, real, effective, saved):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _powerless() -> bool:
    """Whether this thread has no capability: with CAP_KILL, ``kill(-1)`` would mean every process of the machine.

    Leaving uid 0 clears them, unless a securebit says otherwise.
    """
    status = Path("/proc/thread-self/status").read_bytes().splitlines()
    return any(line.startswith(b"CapEff:") and int(line.split()[1], 16) == 0 for line in status)


def _now_ms() -> float:
    return time.monotonic() * 1000
