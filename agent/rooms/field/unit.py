"""A doors process that is a service of its own and comes to us: ``run/doors.sock``, for one account.

Rules of this file: who comes is asked of the kernel (SO_PEERCRED), never of them. Only root and the account of the
doors can reach the socket, and only a process of that account is taken, one at a time; root is sent away like anybody.
Whoever is that account gets the keys of the readers and is believed about its own doors: that is what it is trusted
with. It is ended through a descriptor of the very process (pidfd), and only while that is of the account.
Sources: unix(7), pidfd_open(2).
"""

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
from pathlib import Path

from agent.rooms.field.origin import Begun, FieldIdentity
from agent.runtime.saying import say

_CREDENTIALS = struct.Struct("=iII")  # struct ucred: pid, uid, gid
_WAITING = 1  # connections that are kept until one is taken


def has_network() -> bool:
    """Whether this process, and so a child of it, may speak to anybody outside of this host."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC).close()
    except OSError:  # EAFNOSUPPORT, EPERM: a filter of the service (RestrictAddressFamilies=)
        return False
    return True


class FieldUnit:
    """Takes doors processes of *identity* at the socket *path*. Raises ``OSError`` when that cannot be made."""

    def __init__(self, path: Path, identity: FieldIdentity) -> None:
        self._path, self._uid = path, identity.uid
        self._gate = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._next: tuple[socket.socket, _OtherProcess] | None = None
        try:
            path.unlink(missing_ok=True)
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:  # by descriptor: an address has 107 bytes
                self._gate.bind(f"/proc/self/fd/{folder}/{path.name}")
            finally:
                os.close(folder)
            path.chmod(0o600)
            os.chown(path, identity.uid, identity.gid)
            self._gate.listen(_WAITING)  # before this nobody gets in
        except BaseException:
            self._gate.close()
            raise

    def ready(self) -> bool:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        while self._next is None:
            try:
                end, _ = self._gate.accept()
            except OSError:  # nobody is there, or whoever was has gone
                return False
            self._next = self._known(end)
        return True

    def begin(self) -> Begun:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        if not self.ready() or self._next is None:
            raise ConnectionAbortedError
        (end, process), self._next = self._next, None
        return Begun(process, end)

    def close(self) -> None:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        if self._next is not None:
            self._next[0].close()
            self._next[1].close()
            self._next = None
        self._gate.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _known(self, end: socket.socket) -> "tuple[socket.socket, _OtherProcess] | None":
        pid, uid, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        if uid == self._uid and uid != 0:
            with contextlib.suppress(OSError):  # it has ended since
                return end, _OtherProcess(pid, uid)
        else:
            say(f"shoumi: doors: a process of uid {uid} was sent away: the doors are uid {self._uid}")
        end.close()
        return None


class _OtherProcess:
    """A process that somebody else started and buries. How it ended is not known to us."""

    def __init__(self, pid: int, uid: int) -> None:
        self._pid = pid
        self._fd = os.pidfd_open(pid)
        if _uid_of(pid) != uid:  # the number is somebody else's by now
            os.close(self._fd)
            raise ProcessLookupError

    @property
    def pid(self) -> int:
        return self._pid

    def poll(self) -> int | None:
        if self._fd >= 0 and select.select([self._fd], [], [], 0)[0]:
            self.close()
        return 0 if self._fd < 0 else None

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        if self._fd >= 0 and not select.select([self._fd], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("doors", timeout or 0.0)
        self.close()
        return 0

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _send(self, number: signal.Signals) -> None:
        if self._fd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)


def _uid_of(pid: int) -> int:
    """Return the real uid of *pid*, by its status: its folder in /proc is root's while it is not dumpable."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
