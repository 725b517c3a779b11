"""Blocks given to a file before it needs them, behind its end: what nobody else can take meanwhile (fallocate(2)).

Rules of this file: standard library only. The size of the file stays, and so does what is in it. Cutting the file gives
back all that lies behind its end. Filesystems that cannot do it say so, and the file is as it was.
"""

import ctypes
import errno
import fcntl
import os
import sys
from contextlib import suppress

_KEEP_SIZE = 1
_GETFLAGS, _SETFLAGS, _NOCOW = 0x8008_6601, 0x4008_6602, 0x0080_0000  # linux/fs.h, of 64-bit machines
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]


class UnableError(OSError):
    """The filesystem cannot give blocks ahead."""


def keep(file: int, start: int, length: int) -> bool:
    """Give *file* blocks for *length* bytes from *start* on; ``False`` where there is no room, and none was taken.

    Raises :class:`UnableError` where the filesystem does not know of it, and :class:`OSError` for the rest.
    """
    while _libc.fallocate(file, _KEEP_SIZE, start, length):
        code = ctypes.get_errno()
        if code == errno.EINTR:
            continue
        if code in _FULL:
            return False
        kind = UnableError if code in (errno.EOPNOTSUPP, errno.ENOSYS) else OSError
        raise kind(code, os.strerror(code))
    return True


def in_place(file: int) -> None:
    """Ask the filesystem to write *file*, which is empty, over in place: btrfs else needs room for every such write.

    That is ``chattr +C`` (ioctl_iflags(2)); where there is nothing to ask for, nothing happens.
    """
    with suppress(OSError):
        flags = fcntl.ioctl(file, _GETFLAGS, bytes(8))
        fcntl.ioctl(file, _SETFLAGS, (int.from_bytes(flags, sys.byteorder) | _NOCOW).to_bytes(8, sys.byteorder))


def whole(file: int) -> int:
    """Return how many bytes the filesystem of *file* has, free or not."""
    found = os.fstatvfs(file)
    return found.f_blocks * found.f_frsize
