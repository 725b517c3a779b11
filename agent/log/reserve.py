"""The end of the log that accesses may not fill: kept for acts, for the doors, and for saying what is missing (C13).

The active segment owns blocks behind its end, so whoever fills the disk cannot take them. An access needs room beyond
what is kept; an ordinary entry may use what is kept. So on a full disk every open is denied, while holds, lockdowns and
ways out are still recorded.

Rules of this file: a filesystem that cannot give blocks ahead has no reserve, and its log is written as far as it goes.
Nothing is kept twice: a segment that is done gives back what it has not used.
"""

import errno
import os
from contextlib import suppress

from agent.runtime import room

KEPT = 4 << 20  # bytes: some four thousand acts
SHARE = 64  # … and at the most this part of the filesystem
_AT_ONCE = 4 << 20  # what accesses are given ahead at a time
_LEAST = 4096
_MAP = 16_384  # bytes a filesystem may need, and count, to know where the blocks are


class SegmentReserve:
    """What one segment owns ahead of its end. *until*: up to which byte of the file it has blocks."""

    def __init__(self) -> None:
        self._until = 0
        self._able = True
        self._kept = _LEAST

    def begin(self, file: int, size: int) -> bool:
        """Take what is kept for *file*, of *size* bytes; ``False`` where there is no room. Raises :class:`OSError`."""
        self._kept = max(_LEAST, min(KEPT, room.whole(file) // SHARE))
        self._until = size
        if self._more(file, size, self._kept):
            return True
        # Some filesystems want room even for what the file has already. A segment has no holes.
        self._until = max(size, os.fstat(file).st_blocks * 512 - _MAP)
        return self._until >= size + self._kept // 2

    def require(self, file: int) -> None:
        """Take what is kept for *file*, a new segment. Raises :class:`OSError`, also where there is no room."""
        if not self.begin(file, 0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def cut(self, size: int) -> None:
        """Take note that the file was cut to *size* bytes: what was behind that is gone."""
        self._until = min(self._until, size)

    def holds(self, file: int, size: int, length: int, *, act: bool) -> bool:
        """Whether *length* bytes more may be written behind *size* ones: an *act* may use what is kept.

        Raises :class:`OSError`.
        """
        wanted = size + length + (0 if act else self._kept)
        if not self._able or wanted <= self._until:
            return True
        most = size + length + self._kept + min(_AT_ONCE, self._kept)
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
    """Give back what a segment of *size* bytes, which is done, has not used."""
    with suppress(OSError):
        os.ftruncate(file, size)
