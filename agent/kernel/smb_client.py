"""Client addresses of an SMB server process: one ``smbd`` serves one client.

A client may have several connections (SMB3 multichannel: smbd hands a new one to the process that serves the same
client already), and they may come from anywhere. Rules of this file: for the record only; no verdict depends on it, and
it is read after the ruling. All addresses are reported, as of the last second, on a host with many busy servers
somewhat earlier; the time for that is bounded, because the opener waits for it. A program is Samba's by its inode,
never by its name, and only while it acts for another person. The remote address is read from the sockets themselves.
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
_DESCRIPTORS = 256  # inspected, lowest first; smbd has its connection before any file
_SOCKETS = 64
_AGAIN = 1_000_000_000  # nanoseconds
_MOST_AGAIN = 50  # repeated readings of known processes per second; one takes 0.2 to 1.2 ms
_SYS_PIDFD_GETFD = 438

_libc = ctypes.CDLL(None, use_errno=True)


class SmbPeers:
    """Addresses by process. Belongs to one thread."""

    def __init__(self, programs: SambaPrograms) -> None:
        self._programs = programs
        self._second = -_AGAIN
        self._looks = 0
        self._addresses: OrderedDict[tuple[int, int], tuple[str | None, int]] = OrderedDict()

    def address(self, subject: Subject) -> str | None:
        """Return the address of the client that *subject* serves, several separated by blanks.

        ``None`` when it serves none, or none can be determined.
        """
        if not subject.impersonates:
            return None
        process, now = (subject.tgid, subject.started), time.monotonic_ns()
        address, seen_at = self._addresses.get(process, (None, -_AGAIN))
        if now - seen_at >= _AGAIN and (process not in self._addresses or self._may_look_again(now)):
            address = _peers(subject.tgid) if self._is_samba(subject.tgid) else None
            self._addresses[process] = address, now
            if len(self._addresses) > _KEPT:
                self._addresses.popitem(last=False)
        return address

    def _may_look_again(self, now: int) -> bool:
        """Return whether another reading of a known process fits into this second."""
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
    """Return the remote addresses of the network connections of process *pid*."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return None
    sockets = 0
    addresses: list[str] = []
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for entry in islice(descriptors, _DESCRIPTORS):
                if sockets < _SOCKETS and os.readlink(entry.path).startswith("socket:["):
                    sockets += 1
                    if (address := _other_end(process, int(entry.name))) is not None:
                        addresses.append(address)
    except OSError:  # it ended, or closed one meanwhile
        return None
    finally:
        os.close(process)
    return " ".join(sorted(set(addresses))) or None


def _other_end(process: int, number: int) -> str | None:
    fd = int(_libc.syscall(_SYS_PIDFD_GETFD, process, number, 0))
    if fd < 0:
        return None
    with socket.socket(fileno=fd) as copy:
        if copy.family not in (socket.AF_INET, socket.AF_INET6) or copy.type != socket.SOCK_STREAM:
            return None
        with contextlib.suppress(OSError):  # it listens, or its peer is gone
            return str(copy.getpeername()[0]).removeprefix("::ffff:")
    return None
