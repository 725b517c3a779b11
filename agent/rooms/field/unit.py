"""Doors process as a service of its own that connects to the agent: ``run/doors.sock``, for one account.

Rules of this file: the kernel identifies the peer (SO_PEERCRED), never the peer itself. Only root and the account of
the doors can reach the socket, and only a process of that account is accepted, one at a time; root is refused too. A
process of that account gets the keys of the readers and is believed about its own doors: its trust ends there. It is
ended through a descriptor of that process (pidfd), and only while it belongs to the account.
Sources: unix(7), pidfd_open(2).
"""

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import UnreachableError
from agent.language.catalogue import localized
from agent.rooms.field.origin import Begun, FieldIdentity
from agent.runtime.saying import say
from rules.text import Message
from rules.visible import visible

_CREDENTIALS = struct.Struct("=iII")  # struct ucred: pid, uid, gid
_WAITING = 1  # connections that are kept until one is taken
_RETRY = 60.0  # seconds until the socket is tried again


def has_network() -> bool:
    """Return whether this process, and so a child of it, may use the network."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC).close()
    except OSError:  # EAFNOSUPPORT, EPERM: a filter of the service (RestrictAddressFamilies=)
        return False
    return True


class FieldUnit:
    """Accepts doors processes at the socket *path*. *identity* returns their account, or raises ``ShoumiError``.

    The socket is created when a process is first needed; after a failure it is retried a minute later.
    """

    def __init__(self, path: Path, identity: Callable[[], FieldIdentity]) -> None:
        self._path, self._identity = path, identity
        self._uid, self._retry_at = -1, 0.0
        self._gate: socket.socket | None = None
        self._next: tuple[socket.socket, _OtherProcess] | None = None

    def ready(self) -> bool:
        """See :class:`agent.rooms.field.origin.FieldOrigin`. Raises :class:`ShoumiError` when there is no socket."""
        gate = self._gate or self._opened()
        while self._next is None and gate is not None:
            try:
                end, _ = gate.accept()
            except OSError:  # no connection, or it was closed already
                return False
            self._next = self._accepted(end)
        return self._next is not None

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
        if self._gate is not None:
            self._gate.close()
            self._gate = None
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _opened(self) -> socket.socket | None:
        """Create the socket; return ``None`` while it is too early to retry."""
        if time.monotonic() < self._retry_at:
            return None
        self._retry_at = time.monotonic() + _RETRY
        identity = self._identity()
        try:
            self._gate = _gate(self._path, identity)
        except OSError as error:
            error_text = visible(error.strerror or "")
            raise UnreachableError(Message("rooms.socket-failed", error=error_text)) from None
        self._uid = identity.uid
        return self._gate

    def _accepted(self, end: socket.socket) -> "tuple[socket.socket, _OtherProcess] | None":
        pid, uid, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        if uid == self._uid and uid != 0:
            with contextlib.suppress(OSError):  # it has ended since
                return end, _OtherProcess(pid, uid)
        else:
            refused = Message("rooms.peer-refused", uid=uid, expected=self._uid)
            say(f"shoumi: doors: {localized(refused, 'en')}")
        end.close()
        return None


def _gate(path: Path, identity: FieldIdentity) -> socket.socket:
    """Return a new listening socket, for *identity* and root. Raises ``OSError``."""
    gate = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        path.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:  # by descriptor: an address has 107 bytes
            gate.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        path.chmod(0o600)
        os.chown(path, identity.uid, identity.gid)
        gate.listen(_WAITING)  # no connection is accepted before this
    except BaseException:
        gate.close()
        raise
    return gate


class _OtherProcess:
    """A process started and reaped elsewhere. Its exit status is unknown."""

    def __init__(self, pid: int, uid: int) -> None:
        self._pid = pid
        self._fd = os.pidfd_open(pid)
        if _uid_of(pid) != uid:  # the pid belongs to another process by now
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
