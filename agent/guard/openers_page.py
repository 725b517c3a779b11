"""The openers page: memory that outlives deciders, created by the holder, written by one decider at a time.

Rules of this file: it stores records and does not interpret them. A record is whole on the page before it counts. There
are two halves. One is written, and when it is full, the records that still count are written to the other; a single
word says which half is valid and how far, and is stored last. Aligned 8-byte stores are not torn on the supported
machines.
"""

import mmap
import os
import struct
from collections.abc import Iterable, Iterator

HALF = 24 << 20  # bytes; memory is taken only as far as it is written
_FIRST = mmap.PAGESIZE
_WORD = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
_SECOND = 1 << 63


class OpenersPage:
    """The memory behind descriptor *fd* (a memfd made by :func:`create`), whose halves have *half* bytes each."""

    def __init__(self, fd: int, half: int = HALF) -> None:
        self._page = mmap.mmap(fd, _FIRST + 2 * half)
        self._half = half
        self._second_half = _FIRST + half

    def read(self) -> Iterator[bytes]:
        """Yield the records, oldest first."""
        at, end = self._reach()
        while at + _LENGTH.size <= end:
            length = _LENGTH.unpack_from(self._page, at)[0]
            start, at = at + _LENGTH.size, at + _LENGTH.size + length
            if not length or at > end:  # no record is empty
                return
            yield self._page[start:at]

    def add(self, record: bytes) -> bool:
        """Keep *record*; ``False`` when this half is full."""
        start, end = self._reach()
        until = self._write(end, record)
        if until > start + self._half:
            return False
        self._store(start, until)
        return True

    def replace(self, records: Iterable[bytes]) -> bool:
        """Keep *records* and nothing else, in the other half; ``False`` when they do not fit."""
        start, _ = self._reach()
        half_start = end = self._second_half if start == _FIRST else _FIRST
        for record in records:
            end = self._write(end, record)
            if end > half_start + self._half:
                return False
        self._store(half_start, end)
        return True

    def _write(self, at: int, record: bytes) -> int:
        """Write *record* at *at* where it fits; return the end of it, beyond the half if it does not fit."""
        half = _FIRST if at < self._second_half else self._second_half
        until = at + _LENGTH.size + len(record)
        if until <= half + self._half:
            _LENGTH.pack_into(self._page, at, len(record))
            self._page[at + _LENGTH.size : until] = record
        return until

    def _reach(self) -> tuple[int, int]:
        state = int(_WORD.unpack_from(self._page, 0)[0])
        start = self._second_half if state & _SECOND else _FIRST
        return start, start + min(state & ~_SECOND, self._half)

    def _store(self, start: int, end: int) -> None:
        _WORD.pack_into(self._page, 0, (_SECOND if start == self._second_half else 0) | (end - start))


def create(half: int = HALF) -> int:
    """Create the memory and return its descriptor."""
    fd = os.memfd_create("shoumi-openers", os.MFD_CLOEXEC)
    os.ftruncate(fd, _FIRST + 2 * half)
    return fd
