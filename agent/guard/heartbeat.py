"""Heartbeat page: shared memory in which the decider shows that it lives and the holder counts its own denials.

Rules of this file: each word has one writer. Aligned 8-byte stores are not torn on the supported machines, and the page
holds liveness and counters only. It outlives every decider; the holder creates it.
"""

import mmap
import os
import struct
import time

_WORD = struct.Struct("=Q")
_BEAT, _DENIED, _STARTS, _WATCHING, _ON_RECORD = 0, 8, 16, 24, 32


class Heartbeat:
    """The page, mapped from descriptor *fd* (a memfd made by :func:`create`)."""

    def __init__(self, fd: int) -> None:
        self._page = mmap.mmap(fd, mmap.PAGESIZE)

    def beat(self) -> None:
        """Decider: store the present as the last completed round of the loop."""
        _WORD.pack_into(self._page, _BEAT, time.monotonic_ns())

    def age(self) -> float:
        """Holder: return the seconds since the last beat."""
        return (time.monotonic_ns() - self._read(_BEAT)) / 1e9

    def add_denied(self, count: int) -> None:
        """Holder: count *count* more opens denied while no decider answered."""
        _WORD.pack_into(self._page, _DENIED, self._read(_DENIED) + count)

    def denied(self) -> int:
        """Return the number of opens the holder has denied since it started."""
        return self._read(_DENIED)

    def add_start(self) -> None:
        """Holder: count one more decider start."""
        _WORD.pack_into(self._page, _STARTS, self._read(_STARTS) + 1)

    def starts(self) -> int:
        """Return the number of deciders started, this one included."""
        return self._read(_STARTS)

    def set_watching(self, only: bool) -> None:  # noqa: FBT001 - one word of the page
        """Decider: store whether every area is only observed, so that no failure may deny."""
        _WORD.pack_into(self._page, _WATCHING, int(only))

    def watching(self) -> bool:
        """Holder: see :meth:`set_watching`. False until a decider has read the site."""
        return bool(self._read(_WATCHING))

    def set_on_record(self) -> None:
        """Decider: store that the start of this agent is in the log."""
        _WORD.pack_into(self._page, _ON_RECORD, 1)

    def on_record(self) -> bool:
        """Return whether it is."""
        return bool(self._read(_ON_RECORD))

    def _read(self, offset: int) -> int:
        return int(_WORD.unpack_from(self._page, offset)[0])


def create() -> int:
    """Create the page and return its descriptor."""
    fd = os.memfd_create("shoumi-heartbeat", os.MFD_CLOEXEC)
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd
