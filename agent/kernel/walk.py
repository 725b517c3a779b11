"""Every inode of a tree, once, without leaving its filesystem and without opening a file.

Rules of this file: only directories are opened (a fifo would hang an open, a device would act on it); no link is
followed; one descriptor is held however deep the tree is, because the way back up is ``..`` and must lead to the very
directory we came from. What changes under our feet, or cannot be read, is told as an error and never skipped silently.
"""

import errno
import os
import stat
from collections.abc import Generator, Iterator
from typing import NamedTuple


class WalkEntry(NamedTuple):
    """One inode by one of its names. ``at`` leads to it here and now, through a descriptor; ``path`` is for people."""

    at: str
    path: str
    found: os.stat_result


class WalkFailure(NamedTuple):
    """A place the walk could not go. ``error`` is an ``errno``; EXDEV is another filesystem, ESTALE one that moved."""

    path: str
    error: int


class _Level(NamedTuple):
    path: str
    identity: tuple[int, int]
    waiting: list[str]


_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UPWARDS = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def walk(top: str, named: str = "") -> Iterator[WalkEntry | WalkFailure]:
    """Yield the directory *top* and everything below it, each directory before what it holds.

    *named* is what people call *top*, when *top* itself leads through a descriptor. Raises ``OSError`` only when *top*
    cannot be opened. ``Entry.at`` is valid until the next item is asked for.
    """
    here = os.open(top, _DIRECTORY)
    try:
        device = os.fstat(here).st_dev
        levels = [(yield from _list(here, named or top, device))]
        while levels:
            path, _, waiting = levels[-1]
            if waiting:
                name = waiting.pop()
                try:
                    below = os.open(name, _DIRECTORY, dir_fd=here)
                except OSError as error:
                    yield WalkFailure(os.path.join(path, name), error.errno or errno.EIO)
                    continue
                os.close(here)
                here = below
                levels.append((yield from _list(here, os.path.join(path, name), device)))
                continue
            levels.pop()
            if levels:
                above = os.open("..", _UPWARDS, dir_fd=here)
                os.close(here)
                here = above
                if _identity(os.fstat(here)) != levels[-1].identity:
                    yield WalkFailure(path, errno.ESTALE)
                    return
    finally:
        os.close(here)


def _list(here: int, path: str, device: int) -> Generator[WalkEntry | WalkFailure, None, _Level]:
    """Yield the open directory *here* and the files in it; return it with the names of its subdirectories."""
    own = os.fstat(here)
    level = _Level(path, _identity(own), [])
    if own.st_dev != device:
        yield WalkFailure(path, errno.EXDEV)
        return level
    yield WalkEntry(f"/proc/self/fd/{here}/.", path, own)
    with os.scandir(here) as names:
        for name in names:
            below = os.path.join(path, name.name)
            try:
                found = name.stat(follow_symlinks=False)
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                yield WalkFailure(below, error.errno or errno.EIO)
                continue
            if found.st_dev != device:
                yield WalkFailure(below, errno.EXDEV)
            elif stat.S_ISDIR(found.st_mode):
                level.waiting.append(name.name)
            else:
                yield WalkEntry(f"/proc/self/fd/{here}/{name.name}", below, found)
    return level


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
