"""One page of memory between the holder and the decider: am I alive, may I read, what happened while I was not.

Rules of this file: each word has one writer. Aligned 8-byte stores are not torn on the machines this runs on, and
nothing but liveness and counters is ever told here. The page outlives every decider; the holder makes it.
"""

import mmap
import os
import struct
import time

_WORD = struct.Struct("=Q")
_BEAT, _DENIED, _STARTS = 0, 8, 16


class Heartbeat:
    """The page, mapped from descriptor *fd* (a memfd made by :func:`create`)."""

    def __init__(self, fd: int) -> None:
        self._page = mmap.mmap(fd, mmap.PAGESIZE)

    def beat(self) -> None:
        """Decider: I finished a round of my loop just now."""
        _WORD.pack_into(self._page, _BEAT, time.monotonic_ns())

    def age(self) -> float:
        """Holder: seconds since the last beat."""
        return (time.monotonic_ns() - self._read(_BEAT)) / 1e9

    def add_denied(self, count: int) -> None:
        """Holder: I denied *count* opens while no decider answered."""
        _WORD.pack_into(self._page, _DENIED, self._read(_DENIED) + count)

    def denied(self) -> int:
        """All opens the holder has denied since it started."""
        return self._read(_DENIED)

    def add_start(self) -> None:
        """Holder: a decider was started."""
        _WORD.pack_into(self._page, _STARTS, self._read(_STARTS) + 1)

    def starts(self) -> int:
        """How many deciders were started, this one included."""
        return self._read(_STARTS)

    def _read(self, offset: int) -> int:
        return int(_WORD.unpack_from(self._page, offset)[0])


def create() -> int:
    """Make the page and return its descriptor."""
    fd = os.memfd_create("shoumi-heartbeat", os.MFD_CLOEXEC)
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd
