"""Files of which the agent believes what stands in them: nobody but root, or who runs the agent, can have written it.

Settings, the pack, pinned keys and lists decide who gets in, so they are refused where somebody else owns them, may
write them, or may write a directory on the way to them and so put another file there. In a directory like ``/tmp``
(sticky) nobody moves what is not theirs, which is enough for one that is ours below it.

Rules of this file: standard library only. The file is looked at through the descriptor it is read by; it is no link,
and no pipe that holds anybody up. Sources: open(2), inode(7) on the sticky bit.
"""

import errno
import os
import stat
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_OTHERS = 0o022
LARGEST = 16 << 20  # bytes


class OthersCanWriteError(PermissionError):
    """Somebody else could have written the file. *text* and *hint* are for its reader."""

    def __init__(self, path: Path, found: os.stat_result) -> None:
        super().__init__(errno.EPERM, "others can write it", str(path))
        shown, mode = visible(str(path)), f"{stat.S_IMODE(found.st_mode):04o}"
        self.text = Text(
            f"`{shown}` could have been written by others (owner {found.st_uid}, mode {mode})",
            f"`{shown}` 可能被他人改写（属主 {found.st_uid}，权限 {mode}）",
        )
        command = f"`chown root {shown} && chmod go-w {shown}`"
        self.hint = Text(f"look at what stands in it, then {command}", f"请先检查其内容，再执行 {command}")

    def refused(self) -> RefusedError:
        """Return the same for a request."""
        return RefusedError(self.text, self.hint)


def read(path: Path, most: int = LARGEST) -> bytes:
    """Return what stands in *path*, *most* bytes of it.

    Raises :class:`OthersCanWriteError`, and ``OSError`` for what is missing, a link, or no plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as source:
        check(source.fileno(), path)
        return source.read(most)


def check(descriptor: int, path: Path) -> None:
    """Raise as :func:`read` unless *descriptor*, opened as *path*, is a plain file that only we can have written."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    if _foreign(found):
        raise OthersCanWriteError(path, found)
    check_folders(path)


def check_folders(path: Path) -> None:
    """Raise :class:`OthersCanWriteError` when others can write a directory on the way to *path*."""
    for folder in path.absolute().parents:
        found = folder.stat()
        if _foreign(found) and not (found.st_mode & stat.S_ISVTX and found.st_uid in (0, os.geteuid())):
            raise OthersCanWriteError(folder, found)


def private(path: str, flags: int) -> int:
    """Open *path* so that a new file is its owner's alone, whatever the umask: an ``opener`` of ``open``."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _foreign(found: os.stat_result) -> bool:
    return found.st_uid not in (0, os.geteuid()) or bool(found.st_mode & _OTHERS)
