"""Copying of moved files to another filesystem: bounded in data, inodes and depth, with holes left holes.

Rules of this file: a home contains what its owner put there: a file of a terabyte that is one hole, a directory 1,500
deep, a million names. Nothing of it is followed, opened without need, or written beyond the allowance of the step;
anything more raises :data:`TOO_MUCH`, and the caller leaves it in place, closed.

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

LARGEST = 16 << 20  # bytes of data of one file: a crontab must not fill the agent's disk
DEEPEST = 64  # directories below each other, each with a descriptor
TOO_MUCH = frozenset((errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EMLINK, errno.ENAMETOOLONG))
"""Error numbers for what is too much to be copied here, now."""

_BYTES, _INODES = 64 << 20, 10_000
_SHARE = 4  # one part in so many of the free space on the agent's disk
_CHUNK = 1 << 16
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Allowance:
    """How much may still be copied: bytes of data and inodes."""

    size: int = _BYTES
    inodes: int = _INODES

    @classmethod
    def at(cls, folder: Path) -> "Allowance":
        """Return the allowance for *folder*, which need not exist yet: at most a share of the free space."""
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        filesystem = os.statvfs(existing)
        return cls(min(_BYTES, filesystem.f_bavail * filesystem.f_frsize // _SHARE))

    def take(self, size: int, inodes: int = 0) -> None:
        """Use part of the allowance. Raises ``OSError`` (EFBIG) when too little remains."""
        if size > self.size or inodes > self.inodes:
            raise too_much()
        self.size -= size
        self.inodes -= inodes


def too_much(name: str = "") -> OSError:
    """Return the error for what is too much to be copied."""
    return OSError(errno.EFBIG, "too much to be copied", name)


def measure(folder: int, name: str, allowed: Allowance, depth: int = 0) -> None:
    """Check whether *name* in *folder* may be copied within *allowed*, and use that up.

    Raises ``OSError`` (EFBIG) when not: before anything of it was written.
    """
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    regular = stat.S_ISREG(status.st_mode)
    size = min(status.st_size, status.st_blocks * 512) if regular else 0
    if depth > DEEPEST or size > LARGEST:
        raise too_much(name)
    allowed.take(size, 1)
    if stat.S_ISDIR(status.st_mode):
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
            for offset, chunk in chunks(fd):
                os.pwrite(writing.fileno(), chunk, offset)
            os.ftruncate(writing.fileno(), os.fstat(fd).st_size)
            os.fsync(writing.fileno())
    finally:
        os.close(fd)


def same(path: Path, other_path: Path) -> bool:
    """Whether two regular files have the same bytes; of more data than is ever copied, no."""
    try:
        with _opened(path) as first, _opened(other_path) as second:
            return all(
                chunk == other_chunk
                for chunk, other_chunk in zip_longest(_content(first.fileno()), _content(second.fileno()))
            )
    except OSError as error:
        if error.errno in TOO_MUCH:
            return False
        raise


def chunks(fd: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of the data in *fd* outside holes. Raises ``OSError`` (EFBIG) beyond :data:`LARGEST`."""
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
            chunk = os.pread(fd, _CHUNK, offset)
            taken += len(chunk)
            if taken > LARGEST:
                raise too_much()
            if chunk:
                yield offset, chunk


def _content(fd: int) -> Iterator[tuple[int, bytes]]:
    """Yield the chunks that are not all zeros: a hole in one file may be zeros in its copy."""
    last = -1
    for offset, chunk in chunks(fd):
        if offset > last and chunk.strip(b"\0"):
            last = offset
            yield offset, chunk


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, _FILE), "rb")
