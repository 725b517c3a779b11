"""The tie between the registry's file and its write-ahead log: whether the two belong together.

    flushed    how often the write-ahead log was folded into the file: counted up before each time, so part of the file
    built on   that count, as it was when the write-ahead log in use was begun: written by its first change

SQLite replays a write-ahead log (``registry.db-wal``) over whatever file stands beside it. A registry put back from a
backup beside the log of its successor would be a mixture of both, with the newest epoch, that no check of SQLite finds.
Here the log says that it was built on a file that was flushed more often than this one.

Rules of this file: standard library only. SQLite never folds by itself (``wal_autocheckpoint = 0``); whoever writes
calls :func:`flush`, which never waits long for a reader. A file nobody could fold stays right, and is folded later.
Source: sqlite.org/wal.html, sqlite.org/howtocorrupt.html (section 1.4).
"""

import os
import sqlite3
from pathlib import Path

_BUSY = "PRAGMA busy_timeout = "
_PATIENCE = 200  # milliseconds
MOST = 4 << 20  # bytes of a write-ahead log before it is folded: what SQLite's own thousand pages are


def settings(connection: sqlite3.Connection) -> None:
    """Make *connection* leave the folding to us."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def belongs(connection: sqlite3.Connection) -> bool:
    """Whether the write-ahead log in use belongs to the file."""
    [flushed] = connection.execute("SELECT count FROM flushed").fetchone()
    [built_on] = connection.execute("SELECT count FROM built_on").fetchone()
    return bool(built_on <= flushed)


def build(connection: sqlite3.Connection) -> None:
    """Say, in the transaction under way, what the write-ahead log is built on. Most times it says so already."""
    connection.execute(
        "UPDATE built_on SET count = (SELECT count FROM flushed) WHERE count <> (SELECT count FROM flushed)"
    )


def little_room(path: Path) -> bool:
    """Whether the disk of *path* is so full that blocks given back might be somebody else's the next moment."""
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < max(4 * MOST, found.f_blocks * found.f_frsize // 64)


def flush(connection: sqlite3.Connection, timeout: float, *, keep: bool = False) -> None:
    """Fold the write-ahead log into the file. *timeout* is what writes wait otherwise, in seconds.

    With *keep* it keeps its blocks, and is begun again from its start; what is in it belongs to the file as before.

    Raises :class:`sqlite3.Error`; the registry is then as it was.
    """
    connection.execute(f"{_BUSY}{_PATIENCE}")
    try:
        connection.execute("UPDATE flushed SET count = count + 1")
        how = "RESTART" if keep else "TRUNCATE"
        connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()  # a row that says busy is no error
    finally:
        connection.execute(f"{_BUSY}{int(timeout * 1000)}")


def size(path: Path) -> int:
    """Return how many bytes the write-ahead log beside *path* has."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0
