"""Trusted files: only root, or the account that runs the agent, can have written them.

Settings, the pack, pinned keys and lists decide about access, so they are refused where another account owns them, may
write them, or may write a directory on the way to them and so replace the file. In a directory like ``/tmp`` (sticky)
nobody moves files of others, which is enough for an own directory below it.

Rules of this file: standard library only. The file is checked through the descriptor it is read by; it is no link, and
no pipe that could block.
Sources: open(2), inode(7) on the sticky bit.
"""

import errno
import os
import stat
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

_OTHERS = 0o022
LARGEST = 16 << 20  # bytes


class OthersCanWriteError(PermissionError):
    """Another account could have written the file. *text* and *hint* are for its reader."""

    def __init__(self, path: Path, status: os.stat_result) -> None:
        super().__init__(errno.EPERM, "others can write it", str(path))
        file, mode = visible(str(path)), f"{stat.S_IMODE(status.st_mode):04o}"
        self.text = Message("runtime.file-writable-by-others", file=file, owner=status.st_uid, mode=mode)
        command = f"`chown root {file} && chmod go-w {file}`"
        self.hint = Message("runtime.inspect-then-run", command=command)

    def refused(self) -> RefusedError:
        """Return it as the refusal of a request."""
        return RefusedError(self.text, self.hint)


def read(path: Path, most: int = LARGEST) -> bytes:
    """Return the content of *path*, at most *most* bytes.

    Raises :class:`OthersCanWriteError`, and ``OSError`` for a file that is missing, a link, or not regular.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as source:
        check(source.fileno(), path)
        return source.read(most)


def check(descriptor: int, path: Path) -> None:
    """Raise as :func:`read` unless *descriptor*, opened as *path*, is a regular file and trusted."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    if _foreign(status):
        raise OthersCanWriteError(path, status)
    check_folders(path)


def check_folders(path: Path) -> None:
    """Raise :class:`OthersCanWriteError` when others can write a directory on the way to *path*."""
    for folder in path.absolute().parents:
        status = folder.stat()
        if _foreign(status) and not (status.st_mode & stat.S_ISVTX and status.st_uid in (0, os.geteuid())):
            raise OthersCanWriteError(folder, status)


def private(path: str, flags: int) -> int:
    """Open *path* so that a new file is its owner's alone, whatever the umask: an ``opener`` for ``open``."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _foreign(status: os.stat_result) -> bool:
    return status.st_uid not in (0, os.geteuid()) or bool(status.st_mode & _OTHERS)
