"""Preallocation of blocks for a file beyond its end, so that no other writer takes them (fallocate(2)).

Rules of this file: standard library only. The size and the content of the file stay. Truncating the file releases all
blocks beyond its end. Filesystems without the call return an error, and the file is unchanged.
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
    """The filesystem cannot preallocate blocks."""


def keep(file: int, start: int, length: int) -> bool:
    """Preallocate blocks for *length* bytes from *start* on; ``False`` without room, then none are taken.

    Raises :class:`UnableError` where the filesystem does not support it, and :class:`OSError` for other errors.
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
    """Request overwriting in place for the empty *file*: otherwise btrfs needs room for every overwrite.

    That is ``chattr +C`` (ioctl_iflags(2)); without support it does nothing.
    """
    with suppress(OSError):
        flags = fcntl.ioctl(file, _GETFLAGS, bytes(8))
        fcntl.ioctl(file, _SETFLAGS, (int.from_bytes(flags, sys.byteorder) | _NOCOW).to_bytes(8, sys.byteorder))


def whole(file: int) -> int:
    """Return how many bytes the filesystem of *file* has, free or not."""
    status = os.fstatvfs(file)
    return status.f_blocks * status.f_frsize
