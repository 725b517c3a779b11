"""An empty file that a refused open has left: open(2) with ``O_CREAT`` makes the file, and only then is anybody asked.

Rules of this file: it is taken away as whoever was refused, with their rights and no other, so nothing happens that
they could not do themselves, whatever a path has come to mean by then. It is a file that is empty, has one name and no
label, was made a moment ago and belongs to them; it goes only while nobody has it open for writing, which a read lease
says, before it loses its name and afterwards. The name it gets in between is nobody's, and what was put in its place
stays. Where that is not possible it stays. Every call here may sleep; it runs in a thread of the label worker.
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

_YOUNG: Final = 5.0  # seconds between its birth and the look at it
_PATIENCE: Final = 0.25  # seconds; the refused open itself is gone a moment after its refusal
_AGAIN: Final = 0.005
_STATX_BTIME: Final = 0x800
_AT_EMPTY_PATH: Final = 0x1000
_STATX_SIZE, _MASK_AT, _BTIME_AT = 256, 0, 80
_SETGROUPS: Final = {"x86_64": 116, "aarch64": 159}.get(platform.machine())

_libc = ctypes.CDLL(None, use_errno=True)


def is_newborn(fd: int, found: os.stat_result) -> bool:
    """Whether the unlabelled inode open as *fd* is an empty file that was made a moment ago."""
    if not _empty(found):
        return False
    born = _birth(fd)
    return born is not None and -_YOUNG < time.time() - born < _YOUNG


def discard(fd: int, owner: int) -> bool:
    """Remove the empty file of *owner* open as *fd* for reading; return whether it is gone. Never raises.

    The thread that calls it is *owner* from then on, as far as files go, and in no group but the file's.
    """
    with contextlib.suppress(OSError):
        found = os.fstat(fd)
        return found.st_uid == owner and _become(owner, found.st_gid) and _leased(fd) and _remove(fd)
    return False


def _become(uid: int, gid: int) -> bool:
    """Take the rights of *uid* and *gid* on files, of this thread alone; whether that is so."""
    if _SETGROUPS is None or _libc.syscall(_SETGROUPS, 0, None):
        return False
    for change, wanted in ((_libc.setfsgid, gid), (_libc.setfsuid, uid)):
        change(ctypes.c_uint(wanted))
        if ctypes.c_uint(change(ctypes.c_uint(0xFFFFFFFF))).value != wanted:
            return False
    return True


def _remove(fd: int) -> bool:
    found = os.fstat(fd)
    path = os.readlink(f"/proc/self/fd/{fd}")
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    name, aside = os.path.basename(path), f".refused-{secrets.token_hex(8)}"
    try:
        if not _is(found, name, folder):
            return False
        rename.move(name, folder, aside, folder)
        if _is(found, aside, folder) and _leased(fd, 0.0):  # nobody came to write between the lease and the new name
            os.unlink(aside, dir_fd=folder)
            return True
        rename.move(aside, folder, name, folder)
        return False
    finally:
        os.close(folder)


def _is(found: os.stat_result, name: str, folder: int) -> bool:
    there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino) and _empty(there)


def _leased(fd: int, patience: float = _PATIENCE) -> bool:
    """Take a read lease on *fd*, anew: nobody has it open for writing, and who wants to waits until it is closed."""
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


def _empty(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size == 0 and found.st_nlink == 1


def _birth(fd: int) -> float | None:
    """Return when the inode of *fd* was made, by the clock of the host; ``None`` where its filesystem does not say."""
    answer = ctypes.create_string_buffer(_STATX_SIZE)
    if _libc.statx(fd, b"", _AT_EMPTY_PATH, _STATX_BTIME, answer):
        return None
    if not struct.unpack_from("=I", answer, _MASK_AT)[0] & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", answer, _BTIME_AT)
    return float(seconds) + float(nanoseconds) / 1e9
