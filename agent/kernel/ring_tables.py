"""What an io_uring keeps in its own table of files (io_uring_register(2)), as far as the kernel says it.

Rules of this file: unknown is never none. The kernel writes the table into ``/proc/PID/fdinfo/N`` only while it gets
the ring's lock; a ring that is at work keeps that lock, and its table is asked for again a few times, with a pause
between. Whether a name stands for a file is only told by kernels that write whole paths: whether this one does is tried
once, with a ring of our own; where it does not, or cannot be tried, a table that is not empty counts.
Sources: proc_pid_fdinfo(5), io_uring_setup(2), io_uring_register(2); ``io_uring/fdinfo.c`` of Linux 5.10 to 6.18.
"""

import ctypes
import functools
import os
import re
import time
from typing import Final

_SETUP, _REGISTER = 425, 427  # the same numbers on every architecture
_REGISTER_FILES = 2
_PARAMS = 120  # bytes of struct io_uring_params
_PAUSE = 0.0005  # seconds between two questions to one ring
_TRIES = 5
_COUNT: Final = re.compile(rb"^UserFiles:\s*(\d+)$", re.MULTILINE)
_ENTRY: Final = re.compile(rb" *\d+: (.*)")


class RingPatience:
    """How often one look may still wait for a ring that is at work: however many there are, it comes to an end."""

    def __init__(self, pauses: int = 200) -> None:
        self._left = pauses

    def wait(self) -> bool:
        """Wait a moment; return whether there was one left."""
        if not self._left:
            return False
        self._left -= 1
        time.sleep(_PAUSE)
        return True


def keeps_files(fdinfo: str, patience: RingPatience) -> bool | None:
    """Whether the ring of *fdinfo*, a path, has a file in its table: not a socket, a pipe or the like.

    ``None``: the kernel does not say. Raises ``OSError`` when the ring is gone.
    """
    for _ in range(_TRIES):
        with open(fdinfo, "rb") as shown:
            told = told_by(shown.read(), paths=writes_paths())
        if told is not None or not patience.wait():
            return told
    return None


def told_by(fdinfo: bytes, *, paths: bool) -> bool | None:
    """Return what *fdinfo*, the content, says of a ring; *paths*: this kernel writes the whole path of each file.

    No count of files: it was at work. A count and not one line: the same, on a kernel that counts without the lock.
    """
    count = _COUNT.search(fdinfo)
    if count is None:
        return None
    if int(count[1]) == 0:
        return False
    if not paths:  # names only, cut off and as the owner chose them: a pipe has none, and a file may have any
        return True
    names = _names(fdinfo[count.end() + 1 :])
    return any(name.startswith(b"/") for name in names) if names else None


def _names(table: bytes) -> list[bytes]:
    found = []
    for line in table.splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            break
        found.append(entry[1])
    return found


@functools.cache
def writes_paths() -> bool:
    """Whether this kernel writes whole paths, tried with a ring that keeps ``/dev/null``."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(_SETUP, 1, ctypes.create_string_buffer(_PARAMS))
    if ring < 0:  # io_uring is turned off: rings from before that may still be there
        return False
    try:
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        try:
            kept = libc.syscall(_REGISTER, ring, _REGISTER_FILES, (ctypes.c_int * 1)(null), 1) == 0
        finally:
            os.close(null)
        with open(f"/proc/self/fdinfo/{ring}", "rb") as shown:
            return kept and b" /dev/null\n" in shown.read()
    finally:
        os.close(ring)
