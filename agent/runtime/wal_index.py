"""The index of a write-ahead log in SQLite (``…-shm``): preallocated before it is mapped.

SQLite maps that file into memory and writes to it there. Where a page of it has no block yet and the disk is full, the
kernel answers the write with SIGBUS, which ends the process: on filesystems with blocks below 4 KiB, SQLite itself
gives a block to the end of each page only. So every opening through :mod:`agent.runtime.sqlite_files` first allocates
all blocks of the file here: there is room, or an error that says there is none.

SQLite's rules for its locks, which this file keeps (os_unix.c, ``unixLockSharedMemory``; sqlite.org/walformat.html):

    byte 128 of ``-shm``        users of the index hold a read lock; a process that finds none begins the index anew
    510 bytes of the database   openers hold a read lock; a process that finds none removes both files at its end, and
                                one that starts or ends write-ahead logging has them for itself: openers wait for it

Rules of this file: standard library only. Locks are those of open file descriptions (``F_OFD_SETLK``, fcntl(2)): unlike
SQLite's own they hold against SQLite in the same process. Closing any descriptor of a file ends all of SQLite's locks
of this process on that file, so descriptors are kept until the last connection is closed. A filesystem that copies on
write gives new blocks to old pages: btrfs is asked not to (:func:`agent.runtime.room.in_place`).
"""

import errno
import fcntl
import os
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.runtime import room

_REGION = 32_768  # bytes of the index that are mapped at once; they stand for 4096 pages of the log
_PAGES = 4096
_SPARE = 4  # regions beyond the present log: the growth of one transaction, 64 MiB at pages of 4 KiB
_SHARE = 64  # the largest part of a filesystem preallocated for one log
_FRAME = 24  # bytes before each page in the log
_USED = (128, 1)  # first byte and length of the lock of an index in use
_SHARED = ((1 << 30) + 2, 510)  # … and of a database in use
_ATTEMPTS, _PAUSE = 200, 0.005  # another process begins the index anew: a matter of microseconds
_turn = threading.Lock()


@dataclass(slots=True)
class _Descriptors:
    """The descriptors of one database in this process, and the number of connections that use them."""

    database: int
    index: int
    page: int
    log: int = -1
    users: int = 0
    connecting: int = 0


_databases: dict[tuple[int, int], _Descriptors] = {}


class WalIndex:
    """The index of one database, as one connection needs it. Raises :class:`OSError`: then nothing is taken.

    *becomes*: the database will have a write-ahead log, though it has none yet. A database without one needs no index.
    *timeout*: seconds to wait for a process that has the database for itself; afterwards ``EBUSY`` is raised.
    """

    def __init__(self, path: Path, *, becomes: bool = False, timeout: float = 5.0) -> None:
        self._path = path
        self._descriptors: _Descriptors | None = None
        self._connecting = False
        deadline = time.monotonic() + timeout
        while not self._taken(becomes=becomes):
            if time.monotonic() >= deadline:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
            time.sleep(_PAUSE)  # others of this process go on meanwhile: the one waited for may be one of them

    def connected(self) -> None:
        """Record that SQLite has read from the database, and so has locks of its own."""
        with _turn:
            self._connected()

    def widen(self, ahead: int = 0) -> None:
        """Allocate the index for the present log and one more transaction. Raises :class:`OSError`.

        The log itself gets *ahead* bytes beyond its end, as far as there is room.
        """
        with _turn:
            if self._descriptors is not None and self._descriptors.index >= 0:
                _fill(self._descriptors.index, _wanted(self._path, self._descriptors.page))
                if ahead:
                    _lengthen(self._path, self._descriptors, ahead)

    def release(self) -> None:
        """Release it, after the connection is closed. A second call does nothing."""
        with _turn:
            self._release()

    def _taken(self, *, becomes: bool) -> bool:
        """Take the index; return whether that was possible. When another has the database, nothing is taken."""
        with _turn:
            self._key, descriptors = _descriptors_of(self._path)
            self._descriptors = descriptors
            descriptors.users += 1
            try:
                has_log = _has_log(descriptors.database)
                if has_log:  # locked until SQLite has its own lock, so that no process removes the index
                    if not _locked(descriptors.database, fcntl.F_RDLCK, _SHARED):
                        self._release()
                        return False
                    descriptors.connecting += 1
                    self._connecting = True
                if has_log or becomes:
                    _take(self._path, descriptors)
            except BaseException:
                self._release()
                raise
        return True

    def _connected(self) -> None:
        if self._descriptors is not None and self._connecting:
            self._connecting = False
            self._descriptors.connecting -= 1
            if not self._descriptors.connecting:
                _lock(self._descriptors.database, fcntl.F_UNLCK, *_SHARED)

    def _release(self) -> None:
        self._connected()
        descriptors, self._descriptors = self._descriptors, None
        if descriptors is None:
            return
        descriptors.users -= 1
        if descriptors.users:
            return
        del _databases[self._key]
        for descriptor in (descriptors.database, descriptors.index, descriptors.log):
            if descriptor >= 0:
                os.close(descriptor)


def _descriptors_of(path: Path) -> tuple[tuple[int, int], _Descriptors]:
    """Return this process's descriptors of the database *path*, opened when there are none yet."""
    status = path.stat()
    key = (status.st_dev, status.st_ino)
    if key in _databases:
        return key, _databases[key]
    database = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    opened = os.fstat(database)
    key = (opened.st_dev, opened.st_ino)  # the file may have been replaced a moment ago by a known one
    if key in _databases:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))  # its descriptor stays open: closing ends locks
    descriptors = _Descriptors(database, -1, _page_size(database))
    _databases[key] = descriptors
    return key, descriptors


def _take(path: Path, descriptors: _Descriptors) -> None:
    """Open the index of *path* and allocate its blocks, unless this process has it open."""
    index = path.with_name(f"{path.name}-shm")
    if descriptors.index >= 0 and _same(descriptors.index, index):
        _fill(descriptors.index, _wanted(path, descriptors.page))
        return
    mode = os.fstat(descriptors.database).st_mode & 0o777
    try:
        descriptor = os.open(index, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            return  # without write permission it is mapped for reading only
        raise
    descriptors.index = descriptor  # a removed one stays open, which is harmless
    if os.fstat(descriptor).st_size == 0:
        os.fchmod(descriptor, mode)
        room.in_place(descriptor)
    if _first(descriptor):
        _fill(descriptor, _wanted(path, descriptors.page))
        _begin_anew(descriptor)
        _lock(descriptor, fcntl.F_RDLCK, *_USED)
    else:
        _fill(descriptor, _wanted(path, descriptors.page))


def _first(index: int) -> bool:
    """Return whether the index is unused: it is then locked for writing, else for reading."""
    for _ in range(_ATTEMPTS):
        if _locked(index, fcntl.F_WRLCK, _USED):
            return True
        if _locked(index, fcntl.F_RDLCK, _USED):
            return False
        time.sleep(_PAUSE)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _locked(descriptor: int, kind: int, place: tuple[int, int]) -> bool:
    try:
        _lock(descriptor, kind, *place)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _fill(index: int, size: int) -> None:
    """Give *index* at least *size* bytes, all with blocks; its content stays (fallocate(2))."""
    status = os.fstat(index)
    size = max(size, status.st_size)
    if status.st_size < size or status.st_blocks * 512 < size:
        os.posix_fallocate(index, 0, size)


def _lengthen(path: Path, descriptors: _Descriptors, ahead: int) -> None:
    log = path.with_name(f"{path.name}-wal")
    if descriptors.log < 0 or not _same(descriptors.log, log):
        if descriptors.log >= 0:
            os.close(descriptors.log)  # SQLite has no locks on this file
            descriptors.log = -1
        with suppress(OSError):
            descriptors.log = os.open(log, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    if descriptors.log >= 0:
        ahead = min(ahead, room.whole(descriptors.log) // _SHARE)
        size = os.fstat(descriptors.log).st_size
        if not size:
            room.in_place(descriptors.log)
        with suppress(OSError):
            room.keep(descriptors.log, size, ahead)


def _begin_anew(index: int) -> None:
    """Overwrite all of it with zeros: SQLite would truncate it, and lose its blocks."""
    length, zeros = os.fstat(index).st_size, bytes(_REGION)
    place = 0
    while place < length:
        place += os.pwrite(index, zeros[: length - place], place)


def _wanted(path: Path, page: int) -> int:
    with suppress(FileNotFoundError):
        frames = path.with_name(f"{path.name}-wal").stat().st_size // (page + _FRAME)
        return (frames // _PAGES + 1 + _SPARE) * _REGION
    return (1 + _SPARE) * _REGION


def _has_log(database: int) -> bool:
    """Return whether the database uses write-ahead logging (sqlite.org/fileformat.html, bytes 18 and 19)."""
    return os.pread(database, 2, 18) == b"\x02\x02"


def _page_size(database: int) -> int:
    header = os.pread(database, 2, 16)
    size = int.from_bytes(header, "big") if len(header) == 2 else 0
    return {0: 4096, 1: 65_536}.get(size, size)


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int, kind: int, start: int, length: int) -> None:
    """Set a lock of the open file description; never waits. ``struct flock`` of 64-bit Linux (fcntl(2))."""
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("@hhqqi4x", kind, os.SEEK_SET, start, length, 0))
