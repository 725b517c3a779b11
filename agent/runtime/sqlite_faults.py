"""Faults of SQLite files: one classification of result codes for every database of the agent.

Rules of this file: standard library only, because the guard reads the registry. A code that is not listed is damage: a
file is trusted when it is known to be right, not when nothing is known against it. The owner of a database words the
fault for people.
"""

import sqlite3
from enum import Enum, auto


class SqliteFault(Enum):
    """The kinds of faults."""

    BUSY = auto()  # another process is writing: nothing was done, and a retry may succeed
    FULL = auto()  # no space left: nothing was done
    CANNOT_OPEN = auto()  # it is missing, or may not be opened
    READ_ONLY = auto()  # it may not be written
    CONSTRAINT = auto()  # the write was refused, and the file is unchanged
    DISK = auto()  # reading or writing failed: the state of the disk is unknown
    DAMAGED = auto()


_FAULTS = {
    sqlite3.SQLITE_BUSY: SqliteFault.BUSY,
    sqlite3.SQLITE_LOCKED: SqliteFault.BUSY,
    sqlite3.SQLITE_FULL: SqliteFault.FULL,
    sqlite3.SQLITE_CANTOPEN: SqliteFault.CANNOT_OPEN,
    sqlite3.SQLITE_READONLY: SqliteFault.READ_ONLY,
    sqlite3.SQLITE_PERM: SqliteFault.READ_ONLY,
    sqlite3.SQLITE_CONSTRAINT: SqliteFault.CONSTRAINT,
    sqlite3.SQLITE_IOERR: SqliteFault.DISK,
}


def fault(error: sqlite3.Error) -> SqliteFault:
    """Return the fault of *error*; the primary result codes are at sqlite.org/rescode.html."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERNAL)  # none on errors of the Python module itself
    return _FAULTS.get(code & 0xFF, SqliteFault.DAMAGED)
