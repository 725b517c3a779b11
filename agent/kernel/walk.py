"""Tree walk: every inode of a tree, once, without leaving its filesystem and without opening a file.

Rules of this file: only directories are opened (a fifo would hang an open, a device would act on it); no link is
followed; one descriptor is held however deep the tree is, because the way back up is ``..`` and must lead to the very
directory it came from. Changes during the walk, and unreadable places, are reported as errors and never skipped
silently.
"""

import errno
import os
import stat
from collections.abc import Generator, Iterator
from typing import NamedTuple


class WalkEntry(NamedTuple):
    """One inode by one of its names. ``at`` leads to it now, through a descriptor; ``path`` is for display."""

    at: str
    path: str
    found: os.stat_result


class WalkFailure(NamedTuple):
    """A place that was not reached. ``error`` is an ``errno``; EXDEV: another filesystem, ESTALE: it moved."""

    path: str
    error: int


class _Level(NamedTuple):
    path: str
    identity: tuple[int, int]
    waiting: list[str]


_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UPWARDS = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def walk(top: str, named: str = "") -> Iterator[WalkEntry | WalkFailure]:
    """Yield the directory *top* and everything below it, each directory before its content.

    *named* replaces *top* in paths for display, when *top* leads through a descriptor. Raises ``OSError`` only when
    *top* cannot be opened. ``WalkEntry.at`` is valid until the next entry is requested.
    """
    directory = os.open(top, _DIRECTORY)
    try:
        device = os.fstat(directory).st_dev
        levels = [(yield from _list(directory, named or top, device))]
        while levels:
            path, _, waiting = levels[-1]
            if waiting:
                name = waiting.pop()
                try:
                    below = os.open(name, _DIRECTORY, dir_fd=directory)
                except OSError as error:
                    yield WalkFailure(os.path.join(path, name), error.errno or errno.EIO)
                    continue
                os.close(directory)
                directory = below
                levels.append((yield from _list(directory, os.path.join(path, name), device)))
                continue
            levels.pop()
            if levels:
                above = os.open("..", _UPWARDS, dir_fd=directory)
                os.close(directory)
                directory = above
                if _identity(os.fstat(directory)) != levels[-1].identity:
                    yield WalkFailure(path, errno.ESTALE)
                    return
    finally:
        os.close(directory)


def _list(directory: int, path: str, device: int) -> Generator[WalkEntry | WalkFailure, None, _Level]:
    """Yield the open *directory* and the files in it; return it with the names of its subdirectories."""
    own = os.fstat(directory)
    level = _Level(path, _identity(own), [])
    if own.st_dev != device:
        yield WalkFailure(path, errno.EXDEV)
        return level
    yield WalkEntry(f"/proc/self/fd/{directory}/.", path, own)
    with os.scandir(directory) as names:
        for name in names:
            below = os.path.join(path, name.name)
            try:
                status = name.stat(follow_symlinks=False)
            except FileNotFoundError:  # deleted since it was listed
                continue
            except OSError as error:
                yield WalkFailure(below, error.errno or errno.EIO)
                continue
            if status.st_dev != device:
                yield WalkFailure(below, errno.EXDEV)
            elif stat.S_ISDIR(status.st_mode):
                level.waiting.append(name.name)
            else:
                yield WalkEntry(f"/proc/self/fd/{directory}/{name.name}", below, status)
    return level


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
