"""Looks at a server process for the table of openers: which of its descriptors lead to a file, and which files it has.

Rules of this file: threads are looked at before descriptors. A thread that is not inside an open by then has the
descriptors of everything it ever opened; so what is not seen of its earlier opens is closed. Where a thread cannot be
looked at it counts as inside one. Both looks are bounded, and what is beyond that is "not told". They run in the label
worker: what they take is for the process to choose. Source: proc_pid_syscall(5).
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

# What may leave a descriptor behind: open, creat, openat, openat2, open_by_handle_at, io_uring_enter.
_OPENING: Final = {
    "x86_64": frozenset(map(str, (2, 85, 257, 437, 304, 426))),
    "aarch64": frozenset(map(str, (56, 437, 265, 426))),
}.get(platform.machine())


def look(tid: int, fd: int) -> ServerLook:
    """Look at the process of thread *tid*, which waits for us, for the file open as *fd*."""
    found = os.fstat(fd)
    try:
        tids = sorted(map(int, islice(os.listdir(f"/proc/{tid}/task"), MOST_THREADS + 1)))
        opening = frozenset(one for one in tids if one != tid and _opens(one))
        descriptors = _leading_to(tid, (found.st_dev, found.st_ino))
    except OSError:
        return ServerLook()
    told = len(tids) <= MOST_THREADS and descriptors is not None and len(descriptors) <= MOST_SHOWN
    return ServerLook(descriptors, opening, told=True) if told and descriptors is not None else ServerLook()


def closed(pid: int, files: Sequence[Inode]) -> tuple[int, ...]:
    """Return which of *files*, by their place, process *pid* has no descriptor of; none where that is not told."""
    seen: set[Inode] = set()
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            for number, entry in enumerate(descriptors):
                if number >= MOST_DESCRIPTORS:
                    return ()
                try:
                    found = entry.stat()
                except FileNotFoundError:
                    continue
                seen.add((found.st_dev, found.st_ino))
    except OSError:
        return ()
    return tuple(place for place, inode in enumerate(files) if inode not in seen)


def _leading_to(pid: int, inode: Inode) -> frozenset[int] | None:
    numbers = set()
    with os.scandir(f"/proc/{pid}/fd") as descriptors:
        for number, entry in enumerate(descriptors):
            if number >= MOST_DESCRIPTORS:
                return None
            try:
                found = entry.stat()
            except FileNotFoundError:  # closed meanwhile
                continue
            if (found.st_dev, found.st_ino) == inode:
                numbers.add(int(entry.name))
    return frozenset(numbers)


def _opens(tid: int) -> bool:
    """Whether thread *tid* is inside a call that may leave a descriptor; one that runs may be anywhere."""
    try:
        fd = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # it has ended
    except OSError:
        return True
    try:
        words = os.read(fd, 256).split()
    except ProcessLookupError:
        return False
    except OSError:
        return True
    finally:
        os.close(fd)
    return _OPENING is None or not words or words[0].decode() in _OPENING or words[0] == b"running"
