"""The addresses behind a process of an SMB server: one ``smbd`` serves one client.

A client may have several connections (SMB3 multichannel: smbd hands a new one to the process that serves the same
client already), and they may come from anywhere. Rules of this file: for the record only; no verdict depends on it, and
it is looked for after the ruling. All addresses are told, as they were seen within the last second, on a host with many
busy servers somewhat earlier; what that takes is bounded, because whoever opens waits behind it. A program is Samba's
by its inode, never by its name, and only while it acts for somebody else. The sockets themselves are asked who is at
their other end.
Sources: pidfd_getfd(2), getpeername(2).
"""

import contextlib
import ctypes
import os
import socket
import time
from collections import OrderedDict
from itertools import islice

from agent.kernel.samba_program import SambaPrograms
from agent.kernel.subject import Subject

_KEPT = 1024  # processes
_DESCRIPTORS = 256  # looked at, lowest first; smbd has its connection before any file
_SOCKETS = 64
_AGAIN = 1_000_000_000  # nanoseconds
_MOST_AGAIN = 50  # looks in a second at processes that are known; one takes 0.2 to 1.2 ms
_SYS_PIDFD_GETFD = 438

_libc = ctypes.CDLL(None, use_errno=True)


class SmbPeers:
    """Addresses by process. Belongs to one thread."""

    def __init__(self, programs: SambaPrograms) -> None:
        self._programs = programs
        self._second = -_AGAIN
        self._looks = 0
        self._known: OrderedDict[tuple[int, int], tuple[str | None, int]] = OrderedDict()

    def address(self, who: Subject) -> str | None:
        """Return the address of the client that *who* serves, several with blanks between them.

        ``None`` when it serves none, or none can be told.
        """
        if not who.impersonates:
            return None
        process, now = (who.tgid, who.started), time.monotonic_ns()
        address, found = self._known.get(process, (None, -_AGAIN))
        if now - found >= _AGAIN and (process not in self._known or self._may_look_again(now)):
            address = _peers(who.tgid) if self._is_samba(who.tgid) else None
            self._known[process] = address, now
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return address

    def _may_look_again(self, now: int) -> bool:
        """Whether another look at a process that is known fits into this second."""
        if now - self._second >= _AGAIN:
            self._second, self._looks = now, 0
        self._looks += 1
        return self._looks <= _MOST_AGAIN

    def _is_samba(self, pid: int) -> bool:
        try:
            program = os.stat(f"/proc/{pid}/exe")
        except OSError:
            return False
        return self._programs.has(program.st_dev, program.st_ino)


def _peers(pid: int) -> str | None:
    """Return the other ends of the connections over a network that process *pid* has."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return None
    looked = 0
    found: list[str] = []
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for entry in islice(descriptors, _DESCRIPTORS):
                if looked < _SOCKETS and os.readlink(entry.path).startswith("socket:["):
                    looked += 1
                    if (address := _other_end(process, int(entry.name))) is not None:
                        found.append(address)
    except OSError:  # it ended, or closed one meanwhile
        return None
    finally:
        os.close(process)
    return " ".join(sorted(set(found))) or None


def _other_end(process: int, number: int) -> str | None:
    fd = int(_libc.syscall(_SYS_PIDFD_GETFD, process, number, 0))
    if fd < 0:
        return None
    with socket.socket(fileno=fd) as copy:
        if copy.family not in (socket.AF_INET, socket.AF_INET6) or copy.type != socket.SOCK_STREAM:
            return None
        with contextlib.suppress(OSError):  # it listens, or nobody is there any more
            return str(copy.getpeername()[0]).removeprefix("::ffff:")
    return None
