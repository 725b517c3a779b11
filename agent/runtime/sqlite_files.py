"""Opening of SQLite files that several processes of the agent share.

Rules of this file: standard library only. Every database with a write-ahead log is opened here, so that no process is
ended by SIGBUS when the disk is full (:mod:`agent.runtime.wal_index`); nothing else of a database is mapped. Lack of
room is an SQLite error like SQLite's own, which the owner of the database words.
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
    """A connection that releases the index of its write-ahead log when it is closed."""

    index: WalIndex | None = None

    def close(self) -> None:
        """Close it; a second call does nothing."""
        super().close()
        if self.index is not None:
            self.index.release()

    def widen(self, ahead: int = 0) -> None:
        """Make room in the index for one more transaction; to be called before one begins. Raises
        :class:`sqlite3.Error`.

        The log gets *ahead* bytes of the disk now, so that a full disk does not stop the next transactions.
        """
        if self.index is not None:
            try:
                self.index.widen(ahead)
            except OSError as error:
                raise _sqlite_error(error) from error


def connect(path: Path, mode: Mode, *, timeout: float = 5.0, wal: bool = False) -> Connection:
    """Open *path* in autocommit; transactions are explicit. It may change threads, one at a time.

    *wal*: switch it to write-ahead logging. *timeout*: seconds to wait for others. Raises :class:`sqlite3.Error`, also
    for a file that is no database: its first page is read.
    """
    connection: Connection | None = None
    index = None
    try:
        if mode == "rwc":
            _make(path)
        if path.exists():
            index = WalIndex(path, becomes=wal, timeout=timeout)
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
    """Create *path* when it is missing, for its owner alone; SQLite would leave its mode to the umask."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)  # no other descriptor is open yet: closing it ends no lock


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
    translated = sqlite3.OperationalError(_SAID.get(code, f"unable to open database file: {error.strerror}"))
    translated.sqlite_errorcode = code
    return translated
