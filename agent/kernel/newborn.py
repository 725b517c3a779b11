"""An empty file that a refused open has left: open(2) with ``O_CREAT`` makes the file, and only then is anybody asked.

Rules of this file: nothing is removed that anybody could miss. It is a file that is empty, has one name and no label,
was made a moment ago and belongs to whoever was refused; nobody may have it open for writing meanwhile, which a read
lease on it says. It loses its name to one that nobody uses first, so that what somebody else puts in its place in that
moment stays. Every call here may sleep; it runs in the label worker.
Sources: statx(2), F_SETLEASE in fcntl(2), renameat2(2).
"""

import contextlib
import ctypes
import fcntl
import os
import secrets
import stat
import struct
import time
from typing import Final

from agent.kernel import rename

_YOUNG: Final = 5.0  # seconds between its birth and the look at it
_PATIENCE: Final = 1.0  # seconds; the refused open itself is gone a moment after its refusal
_AGAIN: Final = 0.005
_STATX_BTIME: Final = 0x800
_AT_EMPTY_PATH: Final = 0x1000
_STATX_SIZE, _MASK_AT, _BTIME_AT = 256, 0, 80

_libc = ctypes.CDLL(None, use_errno=True)


def is_newborn(fd: int, found: os.stat_result) -> bool:
    """Whether the unlabelled inode open as *fd* is an empty file that was made a moment ago."""
    if not _empty(found):
        return False
    born = _birth(fd)
    return born is not None and -_YOUNG < time.time() - born < _YOUNG


def discard(fd: int, owner: int) -> bool:
    """Remove the empty file of *owner* open as *fd* for reading; return whether it is gone. Never raises."""
    with contextlib.suppress(OSError):
        return os.fstat(fd).st_uid == owner and _leased(fd) and _remove(fd)
    return False


def _remove(fd: int) -> bool:
    found = os.fstat(fd)
    path = os.readlink(f"/proc/self/fd/{fd}")
    if not _empty(found):
        return False
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    name, aside = os.path.basename(path), f".refused-{secrets.token_hex(8)}"
    try:
        rename.move(name, folder, aside, folder)
        there = os.stat(aside, dir_fd=folder, follow_symlinks=False)
        ours = (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino) and _empty(there)
        if ours and fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_RDLCK:  # nobody has asked to write since
            os.unlink(aside, dir_fd=folder)
            return True
        rename.move(aside, folder, name, folder)
        return False
    finally:
        os.close(folder)


def _leased(fd: int) -> bool:
    """Take a read lease on *fd*: nobody has it open for writing, and who wants to waits until it is closed."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_AGAIN)
        else:
            return True


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
