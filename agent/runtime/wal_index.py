"""The index of a write-ahead log in SQLite (``…-shm``): made of real blocks before anybody maps it.

SQLite maps that file into memory and writes to it there. Where a page of it has no block yet and the disk is full, the
kernel answers the write with SIGBUS, and the process is gone: on filesystems with blocks below 4 KiB, SQLite itself
gives a block to the end of each page only. So whoever opens a database through :mod:`agent.runtime.sqlite_files` takes
the file here first, and it gets all its blocks: there is room, or an error that says there is none.

What SQLite promises of its locks, and this file keeps (os_unix.c, ``unixLockSharedMemory``; sqlite.org/walformat.html):

    byte 128 of ``-shm``        who uses the index holds a read lock; who finds none begins the index anew
    510 bytes of the database   who has it open holds a read lock; who finds none takes both files away at its end

Rules of this file: standard library only. Locks are those of open file descriptions (``F_OFD_SETLK``, fcntl(2)): unlike
SQLite's own they stand against SQLite in the same process. Closing any descriptor of a file ends all of SQLite's locks
of this process on that file, so descriptors are kept until the last connection is closed. A filesystem that copies on
write gives new blocks to old pages: btrfs is asked not to (:func:`agent.runtime.room.in_place`), as it heeds.
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
_SPARE = 4  # regions beyond what the log has now: what one transaction may add, 64 MiB at pages of 4 KiB
_SHARE = 64  # the part of a filesystem that one log may be given ahead at the most
_FRAME = 24  # bytes before each page in the log
_USED = (128, 1)  # first byte and length of the lock of an index in use
_SHARED = ((1 << 30) + 2, 510)  # … and of a database that somebody has open
_ATTEMPTS, _PAUSE = 200, 0.005  # another process begins the index anew: a matter of microseconds
_turn = threading.Lock()


@dataclass(slots=True)
class _Kept:
    """The descriptors of one database in this process, and how many connections rest on them."""

    database: int
    index: int
    page: int
    log: int = -1
    users: int = 0
    connecting: int = 0


_kept: dict[tuple[int, int], _Kept] = {}


class WalIndex:
    """The index of one database, as one connection needs it. Raises :class:`OSError`: then nothing is taken.

    *becomes*: the database will have a write-ahead log, though it has none yet. A database without one needs no index.
    """

    def __init__(self, path: Path, *, becomes: bool = False) -> None:
        self._path = path
        with _turn:
            self._key, kept = _kept_of(path)
            self._kept: _Kept | None = kept
            self._connecting = False
            kept.users += 1
            try:
                has_log = _has_log(kept.database)
                if has_log:
                    _lock(kept.database, fcntl.F_RDLCK, *_SHARED)  # until SQLite has its own, nobody takes it away
                    kept.connecting += 1
                    self._connecting = True
                if has_log or becomes:
                    _take(path, kept)
            except BaseException:
                self._release()
                raise

    def connected(self) -> None:
        """Say that SQLite has read from the database, and so has locks of its own."""
        with _turn:
            self._connected()

    def widen(self, ahead: int = 0) -> None:
        """Give the index what the log, as long as it is, and one more transaction need. Raises :class:`OSError`.

        The log itself gets *ahead* bytes behind its end, as far as there is room.
        """
        with _turn:
            if self._kept is not None and self._kept.index >= 0:
                _fill(self._kept.index, _wanted(self._path, self._kept.page))
                if ahead:
                    _lengthen(self._path, self._kept, ahead)

    def release(self) -> None:
        """Let go of it, after the connection is closed. Twice is once."""
        with _turn:
            self._release()

    def _connected(self) -> None:
        if self._kept is not None and self._connecting:
            self._connecting = False
            self._kept.connecting -= 1
            if not self._kept.connecting:
                _lock(self._kept.database, fcntl.F_UNLCK, *_SHARED)

    def _release(self) -> None:
        self._connected()
        kept, self._kept = self._kept, None
        if kept is None:
            return
        kept.users -= 1
        if kept.users:
            return
        del _kept[self._key]
        for descriptor in (kept.database, kept.index, kept.log):
            if descriptor >= 0:
                os.close(descriptor)


def _kept_of(path: Path) -> tuple[tuple[int, int], _Kept]:
    """Return what this process keeps of the database *path*, opened when there is nothing yet."""
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    if key in _kept:
        return key, _kept[key]
    database = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    opened = os.fstat(database)
    key = (opened.st_dev, opened.st_ino)  # another one than a moment ago, perhaps, and that one is known
    if key in _kept:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))  # its descriptor stays: closing ends locks
    kept = _Kept(database, -1, _page_size(database))
    _kept[key] = kept
    return key, kept


def _take(path: Path, kept: _Kept) -> None:
    """Open the index of *path* and see to its blocks, unless this process has it."""
    index = path.with_name(f"{path.name}-shm")
    if kept.index >= 0 and _same(kept.index, index):
        _fill(kept.index, _wanted(path, kept.page))
        return
    mode = os.fstat(kept.database).st_mode & 0o777
    try:
        descriptor = os.open(index, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            return  # who cannot write it maps it for reading only
        raise
    kept.index = descriptor  # one that was taken away by hand stays open: nothing is lost by that
    if os.fstat(descriptor).st_size == 0:
        os.fchmod(descriptor, mode)
        room.in_place(descriptor)
    if _first(descriptor):
        _fill(descriptor, _wanted(path, kept.page))
        _begin_anew(descriptor)
        _lock(descriptor, fcntl.F_RDLCK, *_USED)
    else:
        _fill(descriptor, _wanted(path, kept.page))


def _first(index: int) -> bool:
    """Return whether nobody uses the index: it is then locked for writing, else for reading."""
    for _ in range(_ATTEMPTS):
        if _locked(index, fcntl.F_WRLCK):
            return True
        if _locked(index, fcntl.F_RDLCK):
            return False
        time.sleep(_PAUSE)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _locked(index: int, kind: int) -> bool:
    try:
        _lock(index, kind, *_USED)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _fill(index: int, size: int) -> None:
    """Give *index* at least *size* bytes, all with blocks; what is in it stays (fallocate(2))."""
    found = os.fstat(index)
    size = max(size, found.st_size)
    if found.st_size < size or found.st_blocks * 512 < size:
        os.posix_fallocate(index, 0, size)


def _lengthen(path: Path, kept: _Kept, ahead: int) -> None:
    log = path.with_name(f"{path.name}-wal")
    if kept.log < 0 or not _same(kept.log, log):
        if kept.log >= 0:
            os.close(kept.log)  # SQLite has no locks on this one
            kept.log = -1
        with suppress(OSError):
            kept.log = os.open(log, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    if kept.log >= 0:
        ahead = min(ahead, room.whole(kept.log) // _SHARE)
        size = os.fstat(kept.log).st_size
        if not size:
            room.in_place(kept.log)
        with suppress(OSError):
            room.keep(kept.log, size, ahead)


def _begin_anew(index: int) -> None:
    """Write zeros over all of it: SQLite would cut it off, and with that lose its blocks."""
    left, zeros = os.fstat(index).st_size, bytes(_REGION)
    place = 0
    while place < left:
        place += os.pwrite(index, zeros[: left - place], place)


def _wanted(path: Path, page: int) -> int:
    with suppress(FileNotFoundError):
        frames = path.with_name(f"{path.name}-wal").stat().st_size // (page + _FRAME)
        return (frames // _PAGES + 1 + _SPARE) * _REGION
    return (1 + _SPARE) * _REGION


def _has_log(database: int) -> bool:
    """Whether the database is in the mode of a write-ahead log (sqlite.org/fileformat.html, bytes 18 and 19)."""
    return os.pread(database, 2, 18) == b"\x02\x02"


def _page_size(database: int) -> int:
    found = os.pread(database, 2, 16)
    size = int.from_bytes(found, "big") if len(found) == 2 else 0
    return {0: 4096, 1: 65_536}.get(size, size)


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int, kind: int, start: int, length: int) -> None:
    """Set a lock of the open file description; never waits. ``struct flock`` of 64-bit Linux (fcntl(2))."""
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("@hhqqi4x", kind, os.SEEK_SET, start, length, 0))
