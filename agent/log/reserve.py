"""The log's reserve: space at its end that accesses may not use, kept for acts, doors and reports of gaps (C13).

The active segment owns blocks beyond its end, so other writers cannot use them. An access needs room beyond the
reserve; an ordinary entry may use the reserve. So on a full disk every open is denied, while holds, lockdowns and exits
are still recorded.

Rules of this file: a filesystem that cannot preallocate has no reserve, and its log is written as far as it goes.
Nothing is reserved twice: a finished segment releases what it has not used.
"""

import errno
import os
from contextlib import suppress

from agent.runtime import room

KEPT = 4 << 20  # bytes: some four thousand acts
SHARE = 64  # … and at most this part of the filesystem
_AT_ONCE = 4 << 20  # preallocated for accesses at a time
_LEAST = 4096
_MAP = 16_384  # bytes a filesystem may use, and count, for its block maps


class SegmentReserve:
    """The blocks of one segment beyond its end. *until*: the end of the preallocated part of the file."""

    def __init__(self) -> None:
        self._until = 0
        self._able = True
        self._reserved = _LEAST

    def begin(self, file: int, size: int) -> bool:
        """Reserve space for *file*, of *size* bytes; ``False`` where there is no room. Raises :class:`OSError`."""
        self._reserved = max(_LEAST, min(KEPT, room.whole(file) // SHARE))
        self._until = size
        if self._more(file, size, self._reserved):
            return True
        # Some filesystems require room even for existing blocks. A segment has no holes.
        self._until = max(size, os.fstat(file).st_blocks * 512 - _MAP)
        return self._until >= size + self._reserved // 2

    def require(self, file: int) -> None:
        """Reserve space for *file*, a new segment. Raises :class:`OSError`, also where there is no room."""
        if not self.begin(file, 0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def cut(self, size: int) -> None:
        """Record that the file was cut to *size* bytes: the blocks beyond are released."""
        self._until = min(self._until, size)

    def holds(self, file: int, size: int, length: int, *, act: bool) -> bool:
        """Return whether *length* bytes may follow *size* ones; an *act* may use the reserve.

        Raises :class:`OSError`.
        """
        wanted = size + length + (0 if act else self._reserved)
        if not self._able or wanted <= self._until:
            return True
        most = size + length + self._reserved + min(_AT_ONCE, self._reserved)
        if self._more(file, size, most - size) or self._more(file, size, wanted - size):
            return True
        return act and size + length <= self._until

    def _more(self, file: int, size: int, length: int) -> bool:
        if not self._able:
            return True
        try:
            taken = room.keep(file, size, length)
        except room.UnableError:
            self._able = False
            return True
        if taken:
            self._until = max(self._until, size + length)
        return taken


def give_back(file: int, size: int) -> None:
    """Release the unused blocks of a finished segment of *size* bytes."""
    with suppress(OSError):
        os.ftruncate(file, size)
