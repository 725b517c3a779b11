"""Checkpoints: the tie between the registry's file and its write-ahead log, which proves that the two belong together.

    flushed    number of checkpoints, counted up before each one, so that the number is part of the file
    built on   that number when the write-ahead log in use was begun: written by its first change

SQLite replays a write-ahead log (``registry.db-wal``) over any file beside it. A registry restored from a backup beside
the write-ahead log of its successor would be a mixture of both, with the newest epoch, and no check of SQLite detects
this. Here the write-ahead log says that it was built on a file with more checkpoints than this one.

Rules of this file: standard library only. SQLite never makes a checkpoint by itself (``wal_autocheckpoint = 0``); the
writer calls :func:`flush`, which never waits long for a reader. A checkpoint that fails is made later.
Source: sqlite.org/wal.html, sqlite.org/howtocorrupt.html (section 1.4).
"""

import os
import sqlite3
from pathlib import Path

_BUSY = "PRAGMA busy_timeout = "
_PATIENCE = 200  # milliseconds
MOST = 4 << 20  # bytes of a write-ahead log before a checkpoint: the size of SQLite's own thousand pages


def settings(connection: sqlite3.Connection) -> None:
    """Turn off SQLite's automatic checkpoints on *connection*."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def belongs(connection: sqlite3.Connection) -> bool:
    """Return whether the write-ahead log in use belongs to the file."""
    [flushed] = connection.execute("SELECT count FROM flushed").fetchone()
    [built_on] = connection.execute("SELECT count FROM built_on").fetchone()
    return bool(built_on <= flushed)


def build(connection: sqlite3.Connection) -> None:
    """Record in the current transaction which checkpoint the write-ahead log is built on, unless it is recorded."""
    connection.execute(
        "UPDATE built_on SET count = (SELECT count FROM flushed) WHERE count <> (SELECT count FROM flushed)"
    )


def little_room(path: Path) -> bool:
    """Return whether the disk of *path* is so full that freed blocks might be taken by another program at once."""
    try:
        filesystem = os.statvfs(path)
    except OSError:
        return False
    return filesystem.f_bavail * filesystem.f_frsize < max(4 * MOST, filesystem.f_blocks * filesystem.f_frsize // 64)


def flush(connection: sqlite3.Connection, timeout: float, *, keep: bool = False) -> None:
    """Write the write-ahead log back into the file. *timeout* is the busy timeout of other writes, in seconds.

    With *keep* the write-ahead log keeps its disk blocks and is reused from its start.

    Raises :class:`sqlite3.Error`; the registry is then unchanged.
    """
    connection.execute(f"{_BUSY}{_PATIENCE}")
    try:
        connection.execute("UPDATE flushed SET count = count + 1")
        how = "RESTART" if keep else "TRUNCATE"
        connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()  # a row that says busy is not an error
    finally:
        connection.execute(f"{_BUSY}{int(timeout * 1000)}")


def size(path: Path) -> int:
    """Return the size in bytes of the write-ahead log beside *path*."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0
