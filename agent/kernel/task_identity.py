"""Identities of the threads of a process: the kernel keeps uids and login uid per thread, not per process.

Rules of this file: it reads and keeps nothing. ``/proc/PID/status`` describes the first thread; another one may have
kept the uid that the first has given up, setresuid(2) "C library/kernel differences", and an ended first thread shows
its former identity. What ends while it is read counts as gone; what may not be read raises.
Sources: proc_pid_task(5), proc_pid_status(5), proc_pid_loginuid(5), credentials(7).
"""

import errno
import os
from typing import NamedTuple

_UNSET = 0xFFFFFFFF
_GONE = frozenset((errno.ENOENT, errno.ESRCH))


class TaskIdentity(NamedTuple):
    """The uids of one thread: real, effective, saved, filesystem, login. ``login`` is ``None`` when it is unset."""

    ruid: int
    euid: int
    suid: int
    fsuid: int
    login: int | None


def others(pid: int) -> frozenset[TaskIdentity]:
    """Return the different identities of the living threads of *pid*, the first one left out.

    Raises ``OSError`` when one may not be read; a process or thread that is gone raises nothing.
    """
    identities: set[TaskIdentity] = set()
    try:
        names = os.listdir(f"/proc/{pid}/task")
    except OSError as error:
        if error.errno in _GONE:
            return frozenset()
        raise
    for name in names:
        if int(name) != pid:
            try:
                identity = _identity(f"/proc/{pid}/task/{name}")
            except OSError as error:
                if error.errno not in _GONE:
                    raise
            else:
                identities |= {identity} if identity else set()
    return frozenset(identities)


def login_uid(folder: str) -> int | None:
    """Return the login uid of the task at *folder* (``/proc/PID``); ``None`` when it is unset, or the kernel has none.

    Raises ``OSError`` when it may not be read, and ``ValueError`` when it is no number.
    """
    try:
        login = int(read(f"{folder}/loginuid"))
    except FileNotFoundError:  # a kernel without auditing; or it has ended, which the caller finds out
        return None
    return None if login == _UNSET else login


def read(path: str) -> bytes:
    """Return the beginning of a small file of ``/proc``. Raises ``OSError``."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 8192)
    finally:
        os.close(fd)


def field(status: bytes, name: bytes) -> bytes:
    """Return the line *name* of a ``/proc/PID/status``, any but the first one. Raises ``KeyError`` without one.

    A line feed in a program name is written as two characters there, so lines are unambiguous. This is read for every
    thread of the host during a revocation, and a regular expression takes ten times as long.
    """
    start = status.find(b"\n" + name + b":\t")
    if start < 0:
        raise KeyError(name)
    start += len(name) + 3
    return status[start : status.find(b"\n", start)]


def gone(error: OSError) -> bool:
    """Return whether *error* means that the process or thread has ended."""
    return error.errno in _GONE


def _identity(folder: str) -> TaskIdentity | None:
    status = read(f"{folder}/status")
    try:
        if field(status, b"State")[:1] in b"ZX":
            return None
        ruid, euid, suid, fsuid = map(int, field(status, b"Uid").split())
    except KeyError:  # it ended meanwhile
        return None
    return TaskIdentity(ruid, euid, suid, fsuid, login_uid(folder))
