"""Opening the registry, and the place where every SQLite error becomes one of ours.

Rules of this file: standard library only. An answer is either true or an error, never empty because something broke.
Refused: the state is known and somebody can act (missing, busy, full, other version). Fatal: the file does not hold
what it must, so nothing may be decided from it. File permissions (0600, root) are the protection; SQLite adds none.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from agent.errors import FatalError, RefusedError, ShoumiError
from agent.registry import checkpoints
from agent.registry.schema.versions import SCHEMA
from agent.runtime import schema, sqlite_files
from agent.runtime.sqlite_faults import SqliteFault, fault
from rules.text import Text
from rules.visible import visible

APPLICATION = 0x53484D49  # "SHMI" in PRAGMA application_id: tells a registry from any other SQLite file

READ_SECONDS = 1.0  # readers of a WAL file wait only while another process recovers or removes the WAL
WRITE_SECONDS = 5.0


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite_files.Connection:
    """Open an existing file in autocommit; transactions are spelled out. The file's contents are not yet checked.

    The connection may change threads, but its owner lets one thread use it at a time.
    """
    check_library(sqlite3.sqlite_version_info)
    with translate_sqlite_errors(path):
        connection = sqlite_files.connect(path, mode, timeout=READ_SECONDS if mode == "ro" else WRITE_SECONDS)
    try:
        with translate_sqlite_errors(path):
            connection.execute("PRAGMA trusted_schema = OFF")  # views and triggers of a foreign file run nothing
            connection.execute("PRAGMA foreign_keys = ON")
            if mode == "ro":
                connection.execute("PRAGMA query_only = ON")
            else:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")  # what was deleted stays on no free page
                checkpoints.settings(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def check_library(found: tuple[int, ...]) -> None:
    """Raise :class:`RefusedError` for a SQLite without STRICT tables (sqlite.org/stricttables.html: 3.37, 2021)."""
    if found < (3, 37):
        shown = ".".join(map(str, found))
        raise RefusedError(
            Text(
                f"the SQLite library is {shown}, and the registry needs 3.37", f"SQLite 库为 {shown}，登记库需要 3.37"
            ),
            Text("run with a Python whose sqlite3 module is newer", "请使用 sqlite3 模块较新的 Python"),
        )


def version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the schema version of a registry this program can read or migrate.

    Raises :class:`FatalError` when the file is no registry, :class:`RefusedError` when a newer program wrote it.
    """
    with translate_sqlite_errors(path):
        [application] = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise damaged(path, "it is not a registry of Shoumi")
        return schema.version(path, connection, SCHEMA)


def current(path: Path, connection: sqlite3.Connection) -> None:
    """Raise unless the file is a registry of exactly this program's schema, and its write-ahead log belongs to it."""
    found = version(path, connection)
    if found < SCHEMA.version:
        raise RefusedError(
            Text(
                f"the registry `{visible(str(path))}` has the older schema {found}",
                f"登记库 `{visible(str(path))}` 仍是旧结构版本 {found}",
            ),
            Text("start `shoumi run` once: it brings the schema up to date", "请先运行一次 `shoumi run` 以更新结构"),
        )
    with translate_sqlite_errors(path):
        together = checkpoints.belongs(connection)
    if not together:
        raise damaged(path, "the write-ahead log beside it belongs to a newer copy: take registry.db-wal and -shm away")


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn every :class:`sqlite3.Error` of the block into :class:`RefusedError` or :class:`FatalError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(path, error) from error


def damaged(path: Path, detail: str) -> FatalError:
    """Return the error that says nothing may be decided from this file."""
    shown, why = visible(str(path)), visible(detail)
    return FatalError(
        Text(
            f"the registry `{shown}` is damaged (`{why}`): stop the agent and restore the file from a backup",
            f"登记库 `{shown}` 已损坏（`{why}`）：请停止程序并从备份恢复该文件",
        )
    )


def translated(path: Path, error: sqlite3.Error) -> ShoumiError | FatalError:
    """Return the error of ours that *error* means."""
    shown, why = visible(str(path)), visible(str(error))
    match fault(error):
        case SqliteFault.BUSY:
            return busy(path)
        case SqliteFault.FULL:
            return RefusedError(
                Text(f"no space left for the registry `{shown}`", f"登记库 `{shown}` 所在磁盘已满"),
                Text("free some space; nothing was changed", "请腾出空间；未作任何更改"),
            )
        case SqliteFault.CANNOT_OPEN if not path.exists():
            return RefusedError(
                Text(f"there is no registry at `{shown}`", f"`{shown}` 处没有登记库"),
                Text("make one with `shoumi init`, or name another --home", "请用 `shoumi init` 创建，或改用 --home"),
            )
        case SqliteFault.CANNOT_OPEN | SqliteFault.READ_ONLY:
            return RefusedError(
                Text(f"the registry `{shown}` cannot be used: `{why}`", f"无法使用登记库 `{shown}`：`{why}`"),
                Text("it belongs to root; check its owner and mode", "该文件属于 root，请检查属主与权限"),
            )
        case SqliteFault.CONSTRAINT:  # a write that no check foresaw
            return RefusedError(
                Text(f"the registry refused the change: `{why}`", f"登记库拒绝了此项更改：`{why}`"),
                Text("nothing was changed; please report it", "未作任何更改；请反馈此问题"),
            )
        case SqliteFault.DISK:
            return FatalError(
                Text(
                    f"the registry `{shown}` cannot be read or written (`{why}`): stop the agent and check the disk",
                    f"无法读写登记库 `{shown}`（`{why}`）：请停止程序并检查磁盘",
                )
            )
        case _:
            return damaged(path, str(error))


def busy(path: Path) -> RefusedError:
    """Return the error for a registry that somebody else is changing."""
    return RefusedError(
        Text(
            f"the registry `{visible(str(path))}` is being changed by somebody else",
            f"登记库 `{visible(str(path))}` 正被其他操作更改",
        ),
        Text("try again in a moment", "请稍后重试"),
    )
