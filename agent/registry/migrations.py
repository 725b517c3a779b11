"""Migrations of the registry's file: creation, and upgrade to the schema of this program.

Rules of this file: a new file appears under its name only when it is complete; an existing one is never replaced.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.errors import RefusedError
from agent.registry.connect import APPLICATION, connect, current, translate_sqlite_errors, version
from agent.registry.schema.versions import SCHEMA
from agent.runtime import migrations
from rules.text import Message
from rules.visible import visible


def migrate(path: Path) -> None:
    """Create the registry when there is none, otherwise upgrade it to the newest schema if it is not current.

    Raises :class:`agent.errors.RefusedError` for the registry of a newer program or a directory that cannot be written,
    and :class:`agent.errors.FatalError` for a file that is not a registry (an empty file included: it held one once).
    """
    if path.exists():
        upgrade(path)
    else:
        create(path)


def create(path: Path) -> None:
    """Create an empty registry with mode 0600; raise :class:`agent.errors.RefusedError` when the name is taken."""
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)  # an earlier attempt that was killed
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with closing(connect(unfinished, "rw")) as connection, translate_sqlite_errors(unfinished):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            _upgrade(connection)
        os.link(unfinished, path)  # unlike rename, it never replaces a registry that another process just created
        unfinished.unlink()
        _sync_directory(path.parent)
    except OSError as error:
        reason = visible(str(error.strerror))
        raise RefusedError(
            Message("registry.registry-not-created", path=str(path), reason=reason),
            Message("registry.check-directory-or-home"),
        ) from error


def upgrade(path: Path) -> None:
    """Apply the missing migrations to an existing registry.

    Raises :class:`agent.errors.FatalError` for a registry beside the write-ahead log of another one, and changes
    nothing: a connection that may write would merge the two when it closes the file.
    """
    with closing(connect(path, "ro")) as looking:
        if version(path, looking) == SCHEMA.version:
            current(path, looking)
            return
    with closing(connect(path, "rw")) as connection:
        if version(path, connection) < SCHEMA.version:
            with translate_sqlite_errors(path):
                _upgrade(connection)


def _upgrade(connection: sqlite3.Connection) -> None:
    migrations.upgrade(connection, SCHEMA)
    connection.execute("PRAGMA journal_mode = WAL")  # kept in the file; readers never wait for the writer


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
