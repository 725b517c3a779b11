"""The place of the log: its folder and the appender's lock, held open, and whether the names still lead there.

Rules of this file: the folder is reached through its descriptor once it is open. Nothing is kept open in trouble,
because a descriptor keeps a filesystem from being unmounted, checked and mounted again.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from agent.log.folder import LOCK, lock, open_file, open_folder


class Tail(NamedTuple):
    """The acknowledged end of the log: the segment's name, its size, and its last line."""

    name: str
    size: int
    last: bytes


class LogPlace:
    """The folder *path* and its lock, for one appender. Descriptors are -1 while it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.directory = self._lock = -1
        self._identity = (0, 0)

    def open(self) -> None:
        """Open folder and lock. Raises as ``open_folder`` and ``lock`` do."""
        self.directory = open_folder(self.path)
        self._lock = lock(self.directory)
        self._identity = _identity(self.directory)

    def reopen(self, tail: Tail) -> tuple[int, bool]:
        """Open the folder at the path again, if it is the same folder or holds *tail*. Raises as :meth:`open` does.

        Returns the segment of *tail*, or -1 where it is gone or does not hold it, and whether the lock was kept
        meanwhile. Raises LookupError for another folder that does not hold it.
        """
        directory = open_folder(self.path)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, directory)
            file = holding(directory, tail)
            undo.callback(close, file)
            if file < 0 and _identity(directory) != self._identity:
                raise LookupError(str(self.path))
            lock_kept = self._lock >= 0 and leads_to(directory, LOCK, self._lock)
            fresh = self._lock if lock_kept else lock(directory)
            undo.pop_all()
        close(self.directory, -1 if lock_kept else self._lock)
        self.directory, self._lock, self._identity = directory, fresh, _identity(directory)
        return file, lock_kept

    def still_there(self) -> bool:
        """Whether the path leads to the folder that is open."""
        return leads_to(None, self.path, self.directory)

    def holds(self, name: str, file: int) -> bool:
        """Return whether *name* in it leads to the open *file*, and the lock is still in place."""
        return leads_to(self.directory, name, file) and leads_to(self.directory, LOCK, self._lock)

    def close(self) -> None:
        """Release it, so that another process may append."""
        close(self._lock, self.directory)
        self.directory = self._lock = -1


def holding(directory: int, tail: Tail) -> int:
    """Open the segment of *tail* if it holds that line at its place; return -1 if not, or if it is gone."""
    try:
        file = open_file(directory, tail.name, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return -1
    try:
        last = tail.last + b"\n" if tail.size else b""
        if os.pread(file, len(last), tail.size - len(last)) == last:
            return file
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return -1


def leads_to(folder: int | None, name: str | os.PathLike[str], descriptor: int) -> bool:
    """Return whether *name*, in *folder* or by itself, leads to the open *descriptor*."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(status, os.fstat(descriptor))


def close(*descriptors: int) -> None:
    """Close the open ones of *descriptors*."""
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
