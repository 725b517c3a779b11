"""Renaming without replacing: renameat2(2) with ``RENAME_NOREPLACE``, which Python does not offer.

Rules of this file: an existing target stays, also one created at the same moment. A machine or a filesystem without the
call returns an error (ENOSYS, EINVAL), and nothing was moved.
"""

import ctypes
import errno
import os
import sys

_NOREPLACE = 1
# Older C libraries have no function for it. 64-bit machines with the generic table, and x86-64 with its own.
_NUMBERS = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "loongarch64": 276}
_RENAMEAT2 = _NUMBERS.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
_libc = ctypes.CDLL(None, use_errno=True)


def move(name: str, folder: int, new_name: str, new_folder: int) -> None:
    """Rename *name* in directory *folder* to *new_name* in *new_folder*. Raises ``OSError``, EEXIST if taken."""
    if _RENAMEAT2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(name), os.fsencode(new_name)
    if _libc.syscall(_RENAMEAT2, folder, names[0], new_folder, names[1], _NOREPLACE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
