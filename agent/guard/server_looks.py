"""Inspection of server processes for the table of openers: their descriptors of a file, and their open files.

Rules of this file: threads are inspected before descriptors. A thread that is not inside an open by then has the
descriptors of all its opens; so earlier opens without a descriptor are closed. A thread that cannot be inspected counts
as inside an open. Both inspections are bounded, and incomplete beyond that. They run in the label worker, because the
inspected process determines their duration.
Source: proc_pid_syscall(5).
"""

import os
import platform
from collections.abc import Sequence
from itertools import islice
from typing import Final

from agent.guard.openers import Inode, ServerLook

MOST_DESCRIPTORS: Final = 65_536
MOST_SHOWN: Final = 256  # of one file
MOST_THREADS: Final = 1024

# Calls that may leave a descriptor: open, creat, openat, openat2, open_by_handle_at, io_uring_enter.
_OPENING: Final = {
    "x86_64": frozenset(map(str, (2, 85, 257, 437, 304, 426))),
    "aarch64": frozenset(map(str, (56, 437, 265, 426))),
}.get(platform.machine())


def inspect_server(tid: int, fd: int) -> ServerLook:
    """Return the openers' state of the process of thread *tid*, which waits, for the file open as *fd*."""
    status = os.fstat(fd)
    try:
        tids = sorted(map(int, islice(os.listdir(f"/proc/{tid}/task"), MOST_THREADS + 1)))
        opening = frozenset(thread for thread in tids if thread != tid and _opens(thread))
        descriptors = _leading_to(tid, (status.st_dev, status.st_ino))
    except OSError:
        return ServerLook()
    complete = len(tids) <= MOST_THREADS and descriptors is not None and len(descriptors) <= MOST_SHOWN
    return ServerLook(descriptors, opening, complete=True) if complete and descriptors is not None else ServerLook()


def closed(pid: int, files: Sequence[Inode]) -> tuple[int, ...]:
    """Return the positions in *files* of which process *pid* has no descriptor; none where it is unknown."""
    open_inodes: set[Inode] = set()
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for number, entry in enumerate(descriptors):
                if number >= MOST_DESCRIPTORS:
                    return ()
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                open_inodes.add((status.st_dev, status.st_ino))
    except OSError:
        return ()
    return tuple(place for place, inode in enumerate(files) if inode not in open_inodes)


def _leading_to(pid: int, inode: Inode) -> frozenset[int] | None:
    numbers = set()
    with os.scandir(f"/proc/{pid}/fd") as descriptors:
        for number, entry in enumerate(descriptors):
            if number >= MOST_DESCRIPTORS:
                return None
            try:
                status = entry.stat()
            except FileNotFoundError:  # closed meanwhile
                continue
            if (status.st_dev, status.st_ino) == inode:
                numbers.add(int(entry.name))
    return frozenset(numbers)


def _opens(tid: int) -> bool:
    """Return whether thread *tid* is inside a call that may leave a descriptor; a running one counts as inside."""
    try:
        fd = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # it has ended
    except OSError:
        return True
    try:
        fields = os.read(fd, 256).split()
    except ProcessLookupError:
        return False
    except OSError:
        return True
    finally:
        os.close(fd)
    return _OPENING is None or not fields or fields[0].decode() in _OPENING or fields[0] == b"running"
