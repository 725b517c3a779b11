"""Copying what is moved aside to another filesystem: bounded in data, inodes and depth, with holes left holes.

Rules of this file: what lies in a home is what its owner put there: a file of a terabyte that is one hole, a directory
1,500 deep, a million names. Nothing of it is followed, opened without need, or written beyond the allowance of the
step that asks; what is more than that raises :data:`TOO_MUCH`, and whoever asked leaves it where it is, closed.
Sources: lseek(2) SEEK_DATA, openat(2), statvfs(3).
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

LARGEST = 16 << 20  # bytes of data of one file: nobody fills the agent's disk with a crontab
DEEPEST = 64  # directories below each other, each with a descriptor
TOO_MUCH = frozenset((errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EMLINK, errno.ENAMETOOLONG))
"""Error numbers that say that a thing is too much to be copied here, now."""

_BYTES, _INODES = 64 << 20, 10_000
_SHARE = 4  # of what is free on the agent's disk, one part in so many
_CHUNK = 1 << 16
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Allowance:
    """How much may still be copied: bytes of data and inodes."""

    data: int = _BYTES
    inodes: int = _INODES

    @classmethod
    def at(cls, folder: Path) -> "Allowance":
        """Return what may be copied to *folder*, which need not be there yet: a share of what is free, at the most."""
        there = next(path for path in (folder, *folder.parents) if path.exists())
        found = os.statvfs(there)
        return cls(min(_BYTES, found.f_bavail * found.f_frsize // _SHARE))

    def take(self, data: int, inodes: int = 0) -> None:
        """Use some of it up. Raises ``OSError`` (EFBIG) when there is not so much left."""
        if data > self.data or inodes > self.inodes:
            raise too_much()
        self.data -= data
        self.inodes -= inodes


def too_much(name: str = "") -> OSError:
    """Return the error that says so."""
    return OSError(errno.EFBIG, "too much to be copied", name)


def measure(folder: int, name: str, allowed: Allowance, depth: int = 0) -> None:
    """Look whether *name* in *folder* may be copied with what is *allowed*; use it up.

    Raises ``OSError`` (EFBIG) when not: before anything of it was written.
    """
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    regular = stat.S_ISREG(found.st_mode)
    data = min(found.st_size, found.st_blocks * 512) if regular else 0
    if depth > DEEPEST or data > LARGEST:
        raise too_much(name)
    allowed.take(data, 1)
    if stat.S_ISDIR(found.st_mode):
        inner = os.open(name, _DIRECTORY, dir_fd=folder)
        try:
            with os.scandir(inner) as entries:
                for entry in entries:
                    measure(inner, entry.name, allowed, depth + 1)
        finally:
            os.close(inner)


def copy_file(folder: int, name: str, to: Path) -> None:
    """Copy one regular file, durably, holes as holes. Raises ``OSError``."""
    fd = os.open(name, _FILE, dir_fd=folder)
    try:
        with to.open("xb") as writing:
            for offset, data in chunks(fd):
                os.pwrite(writing.fileno(), data, offset)
            os.ftruncate(writing.fileno(), os.fstat(fd).st_size)
            os.fsync(writing.fileno())
    finally:
        os.close(fd)


def same(one: Path, other: Path) -> bool:
    """Whether two regular files have the same bytes; of more data than is ever copied, no."""
    try:
        with _opened(one) as first, _opened(other) as second:
            return all(
                mine == theirs for mine, theirs in zip_longest(_content(first.fileno()), _content(second.fileno()))
            )
    except OSError as error:
        if error.errno in TOO_MUCH:
            return False
        raise


def chunks(fd: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of what is no hole in *fd*. Raises ``OSError`` (EFBIG) beyond :data:`LARGEST` of them."""
    position, size, taken = 0, os.fstat(fd).st_size, 0
    while position < size:
        try:
            start = os.lseek(fd, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                return
            raise
        position = os.lseek(fd, start, os.SEEK_HOLE)
        for offset in range(start - start % _CHUNK, position, _CHUNK):
            data = os.pread(fd, _CHUNK, offset)
            taken += len(data)
            if taken > LARGEST:
                raise too_much()
            if data:
                yield offset, data


def _content(fd: int) -> Iterator[tuple[int, bytes]]:
    """Yield the chunks that are not all zeros: a hole in one file may be zeros in its copy."""
    last = -1
    for offset, data in chunks(fd):
        if offset > last and data.strip(b"\0"):
            last = offset
            yield offset, data


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, _FILE), "rb")
