"""Look-up on one mount: no link is followed, no mount is crossed, nothing above the start is reached.

Rules of this file: descriptors are O_PATH, so nothing is opened and no event is raised; a mount or link placed on the
way ends the look-up. Where openat2(2) is missing, the same is done step by step, each from the descriptor of the last:
a seccomp filter cannot inspect its arguments, so systemd blocks it as a whole with ``RestrictSUIDSGID=``
(docs/shoumi.service).
Sources: openat2(2) (Linux 5.6), ``mnt_id`` in proc_pid_fdinfo(5).
"""

import ctypes
import errno
import os
import struct

from agent.kernel import mountinfo

_SYS_OPENAT2 = 437
_NO_XDEV, _NO_SYMLINKS, _BENEATH = 0x01, 0x04, 0x08
_FLAGS = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_HOW = struct.pack("=QQQ", _FLAGS, 0, _NO_XDEV | _NO_SYMLINKS | _BENEATH)

_libc = ctypes.CDLL(None, use_errno=True)


def look(start: int, relative: str) -> int:
    """Return an O_PATH descriptor of *relative* (``.`` is the start itself) below *start*. Raises ``OSError``."""
    fd = int(_libc.syscall(_SYS_OPENAT2, start, os.fsencode(relative), _HOW, len(_HOW)))
    if fd < 0:
        code = ctypes.get_errno()
        if code == errno.ENOSYS:
            return step_by_step(start, relative)
        raise OSError(code, os.strerror(code), relative)
    return fd


def step_by_step(start: int, relative: str) -> int:
    """As :func:`look`, without openat2(2): a link is not a directory, and another mount has another number."""
    mount_number, names = mountinfo.mount_id(start), relative.split("/")
    if relative.startswith("/") or ".." in names:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
    fd = os.open(".", _FLAGS, dir_fd=start)
    try:
        for name in names:
            below = os.open(name or ".", _FLAGS, dir_fd=fd)
            os.close(fd)
            fd = below
            if mountinfo.mount_id(fd) != mount_number:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)  # noqa: TRY301 - the descriptor is closed
    except BaseException:
        os.close(fd)
        raise
    return fd
