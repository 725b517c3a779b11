"""A look-up that stays on one mount: no link is followed, no mount is crossed, nothing above the start is reached.

Rules of this file: descriptors are O_PATH, so nothing is opened and nobody is asked; what somebody else mounts or links
on the way ends the look-up and leads it nowhere. Source: openat2(2) (Linux 5.6).
"""

import ctypes
import os
import struct

_SYS_OPENAT2 = 437
_NO_XDEV, _NO_SYMLINKS, _BENEATH = 0x01, 0x04, 0x08
_HOW = struct.pack("=QQQ", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, 0, _NO_XDEV | _NO_SYMLINKS | _BENEATH)

_libc = ctypes.CDLL(None, use_errno=True)


def look(start: int, relative: str) -> int:
    """Return an O_PATH descriptor of *relative* (``.`` is the start itself) below *start*. Raises ``OSError``."""
    fd = int(_libc.syscall(_SYS_OPENAT2, start, os.fsencode(relative), _HOW, len(_HOW)))
    if fd < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), relative)
    return fd
