"""Opening a SQLite file that several processes of the agent share.

Rules of this file: standard library only. Every database with a write-ahead log is opened here, so that no process is
ended by SIGBUS when the disk is full (:mod:`agent.runtime.wal_index`); nothing else of a database is mapped. No room is
an error of SQLite like those it raises itself, so that its owner says in its own words what that means.
"""

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Literal

from agent.runtime.wal_index import WalIndex

Mode = Literal["ro", "rw", "rwc"]

_CODES = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EBUSY: sqlite3.SQLITE_BUSY,
    errno.EIO: sqlite3.SQLITE_IOERR,
}
_SAID = {sqlite3.SQLITE_FULL: "database or disk is full", sqlite3.SQLITE_BUSY: "database is locked"}


class Connection(sqlite3.Connection):
    """A connection that lets go of the index of its write-ahead log when it is closed."""

    index: WalIndex | None = None

    def close(self) -> None:
        """Close it; twice is once."""
        super().close()
        if self.index is not None:
            self.index.release()

    def widen(self, ahead: int = 0) -> None:
        """Make room in the index for one more transaction; call it before one begins. Raises :class:`sqlite3.Error`.

        The log gets *ahead* bytes of the disk now, so that a disk that fills up does not stop what comes next.
        """
        if self.index is not None:
            try:
                self.index.widen(ahead)
            except OSError as error:
                raise _sqlite_error(error) from error


def connect(path: Path, mode: Mode, *, timeout: float = 5.0, wal: bool = False) -> Connection:
    """Open *path* in autocommit; transactions are spelled out. It may change threads, one at a time.

    *wal*: bring it into the mode of a write-ahead log. *timeout*: seconds to wait for others. Raises
    :class:`sqlite3.Error`, also when it is no database: its first page is read.
    """
    connection: Connection | None = None
    index = None
    try:
        if mode == "rwc":
            _make(path)
        if path.exists():
            index = WalIndex(path, becomes=wal)
        connection = _plain(path, mode, timeout)
        connection.index = index
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute("PRAGMA journal_mode = WAL" if wal else "PRAGMA schema_version").fetchone()
    except BaseException as error:
        if connection is not None:
            connection.close()
        if index is not None:
            index.release()
        if isinstance(error, OSError):
            raise _sqlite_error(error) from error
        raise
    if index is not None:
        index.connected()
    return connection


def _make(path: Path) -> None:
    """Make *path* when it is missing, for its owner alone; SQLite would leave its mode to the umask."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)  # nobody has it open yet: closing it ends no lock


def _plain(path: Path, mode: Mode, timeout: float) -> Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )


def _sqlite_error(error: OSError) -> sqlite3.OperationalError:
    code = _CODES.get(error.errno or 0, sqlite3.SQLITE_CANTOPEN)
    found = sqlite3.OperationalError(_SAID.get(code, f"unable to open database file: {error.strerror}"))
    found.sqlite_errorcode = code
    return found
