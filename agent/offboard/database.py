"""``offboard.db``: opening the file, and translation of every SQLite error.

Rules of this file: a commit is on the disk when it returns. The first process to open the file migrates it to this
program's schema (:mod:`agent.offboard.schema`). :class:`RefusedError`: the state is known, an operator can act, trying
again is right. :class:`FatalError`: the file does not hold what it must.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import FatalError, RefusedError
from agent.offboard.schema import SCHEMA
from agent.runtime import sqlite_files
from agent.runtime.schema import version
from agent.runtime.sqlite_faults import SqliteFault, fault
from rules.text import Message
from rules.visible import visible

_BUSY_SECONDS = 5.0
_checked: set[tuple[int, int]] = set()  # files checked by this process: a check takes long on a large file


def path(home: Path) -> Path:
    """Return the database of departures of an agent."""
    return home / "offboard.db"


def open_database(file: Path, *, checkpoints: bool = True) -> sqlite_files.Connection:
    """Open *file*, made with mode 0600 when it is missing: WAL, every commit on the disk, checked, up to date.

    Without *checkpoints* no commit of this connection carries pages over from the WAL: for callers that must not wait,
    where another connection does it. Transactions are explicit. Raises :class:`RefusedError` when the file cannot be
    used or a newer program wrote it, and :class:`FatalError` when it is damaged.
    """
    _make(file)
    with translate_sqlite_errors(file):
        connection = sqlite_files.connect(file, "rw", timeout=_BUSY_SECONDS, wal=True)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = FULL")  # in WAL mode: one fsync at each commit
            connection.execute("PRAGMA foreign_keys = ON")
            if not checkpoints:
                connection.execute("PRAGMA wal_autocheckpoint = 0")
            _look_through(file, connection)
            _upgrade(file, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _make(file: Path) -> None:
    """Make *file* when it is missing.

    An existing one is not opened: closing it again would end every lock that other connections of this process have on
    it (fcntl(2)), and SQLite's are such locks.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError as error:
        if not file.is_file() or file.is_symlink():
            raise _unusable(file, os.strerror(errno.ELOOP if file.is_symlink() else errno.EISDIR)) from error
    except OSError as error:
        raise _unusable(file, error.strerror or "") from error


def _look_through(file: Path, connection: sqlite3.Connection) -> None:
    """Raise when *file* is not whole; once in each process."""
    status = file.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in _checked:
        return
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise damaged(file, verdict)
    _checked.add(identity)


def _upgrade(file: Path, connection: sqlite3.Connection) -> None:
    if version(file, connection, SCHEMA) < SCHEMA.version:
        from agent.runtime.migrations import upgrade  # only the first opener of the file needs sqlite-utils

        upgrade(connection, SCHEMA)


@contextmanager
def translate_sqlite_errors(file: Path) -> Iterator[None]:
    """Turn every ``sqlite3.Error`` of the block into :class:`RefusedError` (state known) or :class:`FatalError`."""
    try:
        yield
    except sqlite3.Error as error:
        if fault(error) in (SqliteFault.DISK, SqliteFault.DAMAGED):
            raise damaged(file, str(error)) from error
        raise _unusable(file, str(error)) from error


def _unusable(file: Path, reason: str) -> RefusedError:
    path, detail = visible(str(file)), visible(reason)
    return RefusedError(
        Message("offboard.database-unavailable", path=path, detail=detail),
        Message("offboard.check-database-file"),
    )


def damaged(file: Path, reason: str) -> FatalError:
    """Return the error for a file from which nothing may be concluded."""
    path, detail = visible(str(file)), visible(reason)
    return FatalError(Message("offboard.database-damaged", path=path, detail=detail))
