"""File tables of io_urings (io_uring_register(2)), as far as the kernel shows them.

Rules of this file: unknown never counts as empty. The kernel writes the table into ``/proc/PID/fdinfo/N`` only while it
gets the ring's lock; a working ring keeps that lock, and its table is read again a few times, with a pause between.
Whether a name stands for a file is shown only by kernels that write whole paths: that is tried once, with an own ring;
where it does not, or cannot be tried, a table that is not empty counts.
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
_PAUSE = 0.0005  # seconds between two readings of one ring
_TRIES = 5
_COUNT: Final = re.compile(rb"^UserFiles:\s*(\d+)$", re.MULTILINE)
_ENTRY: Final = re.compile(rb" *\d+: (.*)")


class RingPatience:
    """The pauses one scan may still spend on working rings, so that any number of them takes bounded time."""

    def __init__(self, pauses: int = 200) -> None:
        self._pauses = pauses

    def wait(self) -> bool:
        """Wait a moment; return whether a pause was left."""
        if not self._pauses:
            return False
        self._pauses -= 1
        time.sleep(_PAUSE)
        return True


def keeps_files(fdinfo: str, patience: RingPatience) -> bool | None:
    """Return whether the ring of *fdinfo*, a path, has a file in its table: not a socket, a pipe or the like.

    ``None``: the kernel does not show it. Raises ``OSError`` when the ring is gone.
    """
    for _ in range(_TRIES):
        with open(fdinfo, "rb") as file:
            keeps = parse_table(file.read(), paths=writes_paths())
        if keeps is not None or not patience.wait():
            return keeps
    return None


def parse_table(fdinfo: bytes, *, paths: bool) -> bool | None:
    """Return whether the content *fdinfo* shows files in a ring; *paths*: this kernel writes the whole path of each
    file.

    Without a count of files the ring was at work. A count without a line: the same, on a kernel that counts without the
    lock.
    """
    count = _COUNT.search(fdinfo)
    if count is None:
        return None
    if int(count[1]) == 0:
        return False
    if not paths:  # names only, shortened and chosen by the owner: a pipe has none, and a file may have any
        return True
    names = _names(fdinfo[count.end() + 1 :])
    return any(name.startswith(b"/") for name in names) if names else None


def _names(table: bytes) -> list[bytes]:
    names = []
    for line in table.splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            break
        names.append(entry[1])
    return names


@functools.cache
def writes_paths() -> bool:
    """Return whether this kernel writes whole paths, tried with a ring that keeps ``/dev/null``."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(_SETUP, 1, ctypes.create_string_buffer(_PARAMS))
    if ring < 0:  # io_uring is turned off: earlier rings may still exist
        return False
    try:
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        try:
            registered = libc.syscall(_REGISTER, ring, _REGISTER_FILES, (ctypes.c_int * 1)(null), 1) == 0
        finally:
            os.close(null)
        with open(f"/proc/self/fdinfo/{ring}", "rb") as file:
            return registered and b" /dev/null\n" in file.read()
    finally:
        os.close(ring)
