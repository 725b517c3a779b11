"""What a canary tries: the directory of an area, one file of it, and a descriptor of that file that is older.

Rules of this file: nobody is asked here, and nothing is read. Directory and file are O_PATH descriptors of the mount
people come by, below our own cover if there is one. The older descriptor comes through a private mount that is exempt
for the moment of its opening and for opens only: what is done with it afterwards is asked about, and so is opening it
again. Every call may sleep on the disk; whoever calls this does so in a thread that can be given up, which also ends in
a mount namespace of its own where the area was covered. Sources: open(2) O_PATH, open_tree(2), FAN_MARK_IGNORE.
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

SEARCHED = 2_000  # inodes of an area that are looked at to find one file

Inode = tuple[int, int]


class Reached(NamedTuple):
    """Descriptors of one area; -1 where there is none. ``name`` is the file's path below the area."""

    directory: int
    listed: Inode
    file: int = -1
    inode: Inode = (0, 0)
    older: int = -1
    name: str = ""
    absent: bool = False  # the volume is not there, and nothing stands in its place

    def descriptors(self) -> tuple[int, ...]:
        """All there are."""
        return tuple(fd for fd in (self.directory, self.file, self.older) if fd >= 0)

    def close(self) -> None:
        """Let go of them."""
        for fd in self.descriptors():
            os.close(fd)


def reach(groups: FanotifyGroups, path: str, st_dev: int, known: str, *, older: bool) -> Reached:
    """Reach the area at *path*, which was on *st_dev*; try the file *known* first. With *older* there is one as well.

    Raises ``OSError``; ESTALE: it was exchanged or covered meanwhile. Only in a thread of its own.
    """
    if mounting.hidden(path):
        mounting.lift_for_this_thread(path)
    with contextlib.ExitStack() as stack:
        directory = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, directory)
        found = os.fstat(directory)
        if not found.st_mode & 0o777 and mounting.hidden(path):  # a cover has come meanwhile
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        if found.st_dev != st_dev:  # another filesystem stands there, perhaps one that takes no marks of ours
            stack.pop_all()
            return Reached(directory, _inode(directory), absent=_empty(path))
        name = known if known and _is_file(directory, known) else _search(groups, path)
        if not name:
            stack.pop_all()
            return Reached(directory, _inode(directory))
        file = beneath.look(directory, name)
        stack.callback(os.close, file)
        inode = _inode(file)
        before = _older(groups, path, name, inode) if older else -1
        stack.pop_all()
        return Reached(directory, _inode(directory), file, inode, before, name)


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
        if _inode(file) != inode:  # it was exchanged meanwhile
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOATIME
        found = os.open(f"/proc/self/fd/{file}", flags)
        shut(groups.open, inside)
        return found


def _empty(path: str) -> bool:
    """Whether the directory *path*, which is not on the volume, is an empty mount point."""
    try:
        return not os.listdir(path)
    except OSError:
        return False


def _inode(fd: int) -> Inode:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino
