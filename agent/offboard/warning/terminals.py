"""Messages to the terminals of a person: those whose device the person's own account owns.

Rules of this file:
- a terminal is a character device of the kernel's two terminal drivers that is owned by the uid, and it is checked
  again after it was opened; no link is followed, and no name is foreign;
- nothing waits: a terminal that takes no more at once (stopped by ^S, its other end gone) is left out;
- the text is ours and visible: lines come without control bytes, and each ends with a carriage return.

Sources: pts(4), console(4), devices.txt of the kernel (majors 4 and 136 to 143), open(2).
"""

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress

_OPEN = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLACES = (("/dev/pts", re.compile(r"[0-9]+"), range(136, 144)), ("/dev", re.compile(r"tty[1-9][0-9]?"), range(4, 5)))
_MOST = 32  # terminals of one account
_LONGEST = 2000  # bytes at once: less than what a terminal's buffer takes


def write(uid: int, lines: Sequence[str]) -> int:
    """Write *lines* to every terminal of *uid*, and return how many accepted them; never raises for terminal errors."""
    text = "".join(f"\r\n{line}" for line in lines).encode()[:_LONGEST] + b"\r\n"
    taken = 0
    for folder, name, majors in _PLACES:
        with suppress(OSError):
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                taken += _in_folder(at, name, majors, uid, text, _MOST - taken)
            finally:
                os.close(at)
    return taken


def _in_folder(at: int, name: re.Pattern[str], majors: range, uid: int, text: bytes, most: int) -> int:
    taken = 0
    for entry in sorted(os.listdir(at)):
        if taken < most and name.fullmatch(entry):
            with suppress(OSError):
                if _is_theirs(os.stat(entry, dir_fd=at, follow_symlinks=False), majors, uid):
                    taken += _written(os.open(entry, _OPEN, dir_fd=at), majors, uid, text)
    return taken


def _written(fd: int, majors: range, uid: int, text: bytes) -> bool:
    try:
        return _is_theirs(os.fstat(fd), majors, uid) and os.write(fd, text) > 0
    finally:
        os.close(fd)


def _is_theirs(status: os.stat_result, majors: range, uid: int) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_uid == uid and os.major(status.st_rdev) in majors
