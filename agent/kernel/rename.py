"""Renaming without ever replacing: renameat2(2) with ``RENAME_NOREPLACE``, which Python does not offer.

Rules of this file: what is there stays there, whoever put it there at the same moment. A machine or a filesystem
without the call says so by an error (ENOSYS, EINVAL), and nothing was moved.
"""

import ctypes
import errno
import os
import sys

_NOREPLACE = 1
# Older C libraries have no function for it. Of the 64-bit machines those with the generic table, and one with its own.
_NUMBERS = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "loongarch64": 276}
_RENAMEAT2 = _NUMBERS.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
_libc = ctypes.CDLL(None, use_errno=True)


def move(name: str, there: int, new_name: str, new_there: int) -> None:
    """Rename *name* in the open directory *there* to *new_name* in *new_there*. Raises ``OSError``, EEXIST if taken."""
    if _RENAMEAT2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(name), os.fsencode(new_name)
    if _libc.syscall(_RENAMEAT2, there, names[0], new_there, names[1], _NOREPLACE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
