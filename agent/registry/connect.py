"""Connections to the registry, and the translation of every SQLite error into an error of this program.

Rules of this file: standard library only. An answer is either correct or an error, never empty because of a failure.
Refused: the state is known and can be corrected (missing, busy, full, other version). Fatal: the content of the file is
not as required, so nothing may be decided from it. File permissions (0600, root) are the protection; SQLite adds none.
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
from rules.text import Message, Sentence
from rules.visible import visible

APPLICATION = 0x53484D49  # "SHMI" in PRAGMA application_id: distinguishes a registry from any other SQLite file

READ_SECONDS = 1.0  # readers of a WAL file wait only while another process recovers or removes the WAL
WRITE_SECONDS = 5.0


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite_files.Connection:
    """Return a connection to an existing file in autocommit mode, with explicit transactions; contents are unchecked.

    The connection may change threads; its owner ensures that one thread uses it at a time.
    """
    check_library(sqlite3.sqlite_version_info)
    with translate_sqlite_errors(path):
        connection = sqlite_files.connect(path, mode, timeout=READ_SECONDS if mode == "ro" else WRITE_SECONDS)
    try:
        with translate_sqlite_errors(path):
            connection.execute("PRAGMA trusted_schema = OFF")  # views and triggers of a foreign file call no functions
            connection.execute("PRAGMA foreign_keys = ON")
            if mode == "ro":
                connection.execute("PRAGMA query_only = ON")
            else:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")  # deleted content stays on no free page
                checkpoints.settings(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def check_library(installed: tuple[int, ...]) -> None:
    """Raise :class:`RefusedError` for a SQLite without STRICT tables (sqlite.org/stricttables.html: 3.37, 2021)."""
    if installed < (3, 37):
        version = ".".join(map(str, installed))
        raise RefusedError(
            Message("registry.sqlite-too-old", version=version),
            Message("registry.use-newer-sqlite3-module"),
        )


def version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the schema version of a registry that this program can read or migrate.

    Raises :class:`FatalError` when the file is not a registry, :class:`RefusedError` when a newer program wrote it.
    """
    with translate_sqlite_errors(path):
        [application] = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise damaged(path, Message("registry.not-a-registry"))
        return schema.version(path, connection, SCHEMA)


def current(path: Path, connection: sqlite3.Connection) -> None:
    """Raise unless the file is a registry of exactly this program's schema, and its write-ahead log belongs to it."""
    version_found = version(path, connection)
    if version_found < SCHEMA.version:
        raise RefusedError(
            Message("registry.registry-older-schema", path=str(path), version=version_found),
            Message("registry.run-once-to-migrate"),
        )
    with translate_sqlite_errors(path):
        together = checkpoints.belongs(connection)
    if not together:
        raise damaged(path, Message("registry.write-ahead-log-of-newer-copy"))


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Translate every :class:`sqlite3.Error` of the block into :class:`RefusedError` or :class:`FatalError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(path, error) from error


def damaged(path: Path, detail: Sentence | str) -> FatalError:
    """Return the error for a file from which nothing may be decided."""
    shown_path, reason = visible(str(path)), visible(detail) if isinstance(detail, str) else detail
    return FatalError(Message("registry.registry-damaged", path=shown_path, reason=reason))


def translated(path: Path, error: sqlite3.Error) -> ShoumiError | FatalError:
    """Return the error of this program for *error*."""
    shown_path, reason = visible(str(path)), visible(str(error))
    match fault(error):
        case SqliteFault.BUSY:
            return busy(path)
        case SqliteFault.FULL:
            return RefusedError(
                Message("registry.registry-disk-full", path=shown_path),
                Message("registry.free-disk-space"),
            )
        case SqliteFault.CANNOT_OPEN if not path.exists():
            return RefusedError(
                Message("registry.registry-not-found", path=shown_path),
                Message("registry.init-or-other-home"),
            )
        case SqliteFault.CANNOT_OPEN | SqliteFault.READ_ONLY:
            return RefusedError(
                Message("registry.registry-unusable", path=shown_path, reason=reason),
                Message("registry.check-owner-and-mode"),
            )
        case SqliteFault.CONSTRAINT:  # a write that no check anticipated
            return RefusedError(
                Message("registry.registry-refused-change", reason=reason),
                Message("registry.report-refused-change"),
            )
        case SqliteFault.DISK:
            return FatalError(Message("registry.registry-disk-error", path=shown_path, reason=reason))
        case _:
            return damaged(path, str(error))


def busy(path: Path) -> RefusedError:
    """Return the error for a registry that another process or thread is changing."""
    return RefusedError(
        Message("registry.registry-busy", path=str(path)),
        Message("registry.try-again-soon"),
    )
