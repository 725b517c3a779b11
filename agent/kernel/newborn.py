"""Newborn files: empty files left by refused opens. open(2) with ``O_CREAT`` creates the file before the kernel asks.

Rules of this file: such a file is removed under the identity of the refused person, with their rights only, so that
nothing happens that they could not do themselves, whatever a path means by then. It is empty, has one name and no
label, was created a moment ago and belongs to them; it is removed only while no process has it open for writing, by a
read lease before and after the renaming. Its intermediate name is unused, and a file put in its place stays. Where that
is not possible it stays. Every call here may sleep; it runs in a thread of the label worker.
Sources: setfsuid(2), statx(2), F_SETLEASE in fcntl(2), renameat2(2).
"""

import contextlib
import ctypes
import fcntl
import os
import platform
import secrets
import stat
import struct
import time
from typing import Final

from agent.kernel import rename

_YOUNG: Final = 5.0  # seconds between its birth and the check
_PATIENCE: Final = 0.25  # seconds; the refused open itself is gone a moment after its refusal
_AGAIN: Final = 0.005
_STATX_BTIME: Final = 0x800
_AT_EMPTY_PATH: Final = 0x1000
_STATX_SIZE, _MASK_AT, _BTIME_AT = 256, 0, 80
_SETGROUPS: Final = {"x86_64": 116, "aarch64": 159}.get(platform.machine())

_libc = ctypes.CDLL(None, use_errno=True)


def is_newborn(fd: int, status: os.stat_result) -> bool:
    """Return whether the unlabelled inode open as *fd* is an empty file created a moment ago."""
    if not _empty(status):
        return False
    born = _birth(fd)
    return born is not None and -_YOUNG < time.time() - born < _YOUNG


def discard(fd: int, owner: int) -> bool:
    """Remove the empty file of *owner* open as *fd* for reading; return whether it is gone. Never raises.

    The calling thread has the file-access identity of *owner* from then on, and no group but the file's.
    """
    with contextlib.suppress(OSError):
        status = os.fstat(fd)
        return status.st_uid == owner and _become(owner, status.st_gid) and _leased(fd) and _remove(fd)
    return False


def _become(uid: int, gid: int) -> bool:
    """Take the file-access identity *uid* and *gid* in this thread alone; return whether it worked."""
    if _SETGROUPS is None or _libc.syscall(_SETGROUPS, 0, None):
        return False
    for change, wanted in ((_libc.setfsgid, gid), (_libc.setfsuid, uid)):
        change(ctypes.c_uint(wanted))
        if ctypes.c_uint(change(ctypes.c_uint(0xFFFFFFFF))).value != wanted:
            return False
    return True


def _remove(fd: int) -> bool:
    status = os.fstat(fd)
    path = os.readlink(f"/proc/self/fd/{fd}")
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    name, aside = os.path.basename(path), f".refused-{secrets.token_hex(8)}"
    try:
        if not _is(status, name, folder):
            return False
        rename.move(name, folder, aside, folder)
        if _is(status, aside, folder) and _leased(fd, 0.0):  # no writer between the lease and the new name
            os.unlink(aside, dir_fd=folder)
            return True
        rename.move(aside, folder, name, folder)
        return False
    finally:
        os.close(folder)


def _is(expected: os.stat_result, name: str, folder: int) -> bool:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return (status.st_dev, status.st_ino) == (expected.st_dev, expected.st_ino) and _empty(status)


def _leased(fd: int, patience: float = _PATIENCE) -> bool:
    """Take a new read lease on *fd*: no process has it open for writing, and writers wait until it is closed."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_AGAIN)
        else:
            return fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_RDLCK


def _empty(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size == 0 and status.st_nlink == 1


def _birth(fd: int) -> float | None:
    """Return the creation time of the inode of *fd*, by the host's clock; ``None`` where it is not recorded."""
    answer = ctypes.create_string_buffer(_STATX_SIZE)
    if _libc.statx(fd, b"", _AT_EMPTY_PATH, _STATX_BTIME, answer):
        return None
    if not struct.unpack_from("=I", answer, _MASK_AT)[0] & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", answer, _BTIME_AT)
    return float(seconds) + float(nanoseconds) / 1e9
