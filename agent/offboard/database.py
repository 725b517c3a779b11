"""``offboard.db``: opening it, and the rim at which every SQLite error becomes one of ours.

Rules of this file: a commit is on the disk when it returns. Each part of the departures has tables of its own in this
file and makes them when they are missing. :class:`RefusedError`: the state is known, somebody can act, trying again is
right. :class:`FatalError`: the file does not hold what it must.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import FatalError, RefusedError
from rules.text import Text
from rules.visible import visible

_BUSY_SECONDS = 5.0
_checked: set[tuple[int, int]] = set()  # files this process has looked through: that takes as long as they are large


def path(home: Path) -> Path:
    """Return the database of departures of an agent: tokens here, runs and receipts in tables of their own."""
    return home / "offboard.db"


def open_database(file: Path, *, checkpoints: bool = True) -> sqlite3.Connection:
    """Open *file*, made with mode 0600 when it is missing: WAL, every commit on the disk, checked.

    Without *checkpoints* no commit of this connection carries pages over from the WAL: that is for who must not wait,
    where another connection does it. Transactions are spelled out. Raises :class:`RefusedError` when it cannot be used
    and :class:`FatalError` when it is damaged.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise _unusable(file, error.strerror or "") from error
    with rim(file):
        connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # in WAL mode: one fsync at each commit
            connection.execute("PRAGMA foreign_keys = ON")
            if not checkpoints:
                connection.execute("PRAGMA wal_autocheckpoint = 0")
            verdict = _verdict(file, connection)
        except BaseException:
            connection.close()
            raise
        if verdict != "ok":
            connection.close()
            raise damaged(file, verdict)
    return connection


def _verdict(file: Path, connection: sqlite3.Connection) -> str:
    """Return ``ok`` or what is wrong with *file*, looked through once by each process."""
    found = file.stat()
    identity = (found.st_dev, found.st_ino)
    if identity in _checked:
        return "ok"
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict == "ok":
        _checked.add(identity)
    return verdict


@contextmanager
def rim(file: Path) -> Iterator[None]:
    """Turn every ``sqlite3.Error`` of the block into :class:`RefusedError` (state known) or :class:`FatalError`."""
    try:
        yield
    except sqlite3.Error as error:
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERNAL) & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_FULL | sqlite3.SQLITE_CONSTRAINT:
                raise _unusable(file, str(error)) from error
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                raise _unusable(file, str(error)) from error
            case _:
                raise damaged(file, str(error)) from error


def _unusable(file: Path, why: str) -> RefusedError:
    shown, said = visible(str(file)), visible(why)
    return RefusedError(
        Text(
            f"the database of departures `{shown}` cannot be used now: `{said}`",
            f"暂时无法使用离岗数据库 `{shown}`：`{said}`",
        ),
        Text("nothing was changed; check the disk, the owner and the mode", "未作任何更改；请检查磁盘、属主与权限"),
    )


def damaged(file: Path, why: str) -> FatalError:
    """Return the error that says nothing may be concluded from this file."""
    shown, said = visible(str(file)), visible(why)
    return FatalError(
        Text(
            f"the database of departures `{shown}` is damaged (`{said}`): stop the agent and restore it from a backup",
            f"离岗数据库 `{shown}` 已损坏（`{said}`）：请停止程序并从备份恢复",
        )
    )
