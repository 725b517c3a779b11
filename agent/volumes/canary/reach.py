"""Descriptors for a canary: the directory of an area, one file in it, and an older descriptor of that file.

Rules of this file: no access here needs a verdict, and nothing is read. Directory and file are O_PATH descriptors of
the mount that people use, below our own cover if there is one. The older descriptor comes through a private mount that
is exempt only while it is opened and for opens only: its later use is checked, and so is opening it again. Every call
may block on the disk; the caller runs this in a thread that can be abandoned, which changes to its own mount namespace
where the area was covered. Sources: open(2) O_PATH, open_tree(2), FAN_MARK_IGNORE.
"""

import contextlib
import errno
import os
import stat
from itertools import islice
from typing import NamedTuple

from agent.kernel import beneath, mounting
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.private_mount import doorway, shut
from agent.kernel.walk import WalkEntry, walk

SEARCHED = 2_000  # the most inodes of an area that are searched for a file

Inode = tuple[int, int]


class Reached(NamedTuple):
    """Descriptors of one area; -1 for a missing one. ``name`` is the path of the file below the area."""

    directory: int
    listed: Inode
    file: int = -1
    inode: Inode = (0, 0)
    older: int = -1
    name: str = ""
    absent: bool = False  # the volume is not mounted, and the mount point is empty

    def descriptors(self) -> tuple[int, ...]:
        """Return the existing descriptors."""
        return tuple(fd for fd in (self.directory, self.file, self.older) if fd >= 0)

    def close(self) -> None:
        """Close them."""
        for fd in self.descriptors():
            os.close(fd)


def reach(groups: FanotifyGroups, path: str, st_dev: int, last_file: str, *, older: bool) -> Reached:
    """Open the area at *path*, which was on *st_dev*; prefer the file *last_file*; with *older* also that descriptor.

    Raises ``OSError``; ESTALE: it was replaced or covered in the meantime. Only in a thread of its own.
    """
    if mounting.hidden(path):
        mounting.lift_for_this_thread(path)
    with contextlib.ExitStack() as stack:
        directory = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, directory)
        status = os.fstat(directory)
        if not status.st_mode & 0o777 and mounting.hidden(path):  # covered in the meantime
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        if status.st_dev != st_dev:  # another filesystem, perhaps without our marks
            stack.pop_all()
            return Reached(directory, _inode(directory), absent=_empty(path))
        name = last_file if last_file and _is_file(directory, last_file) else _search(groups, path)
        if not name:
            stack.pop_all()
            return Reached(directory, _inode(directory))
        file = beneath.look(directory, name)
        stack.callback(os.close, file)
        inode = _inode(file)
        older_fd = _older(groups, path, name, inode) if older else -1
        stack.pop_all()
        return Reached(directory, _inode(directory), file, inode, older_fd, name)


def _search(groups: FanotifyGroups, path: str) -> str:
    with doorway(groups.open, groups.access, path) as inside:
        for place in islice(walk(inside, "."), SEARCHED):
            if isinstance(place, WalkEntry) and stat.S_ISREG(place.found.st_mode):
                return place.path.removeprefix("./")
    return ""


def _is_file(directory: int, name: str) -> bool:
    try:
        file = beneath.look(directory, name)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(file).st_mode)
    finally:
        os.close(file)


def _older(groups: FanotifyGroups, path: str, name: str, inode: Inode) -> int:
    with doorway(groups.open, -1, path) as inside, contextlib.ExitStack() as stack:
        top = os.open(inside, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, top)
        file = beneath.look(top, name)
        stack.callback(os.close, file)
        if _inode(file) != inode:  # replaced in the meantime
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOATIME
        descriptor = os.open(f"/proc/self/fd/{file}", flags)
        shut(groups.open, inside)
        return descriptor


def _empty(path: str) -> bool:
    """Return whether the directory *path*, which is not on the volume, is an empty mount point."""
    try:
        return not os.listdir(path)
    except OSError:
        return False


def _inode(fd: int) -> Inode:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino
