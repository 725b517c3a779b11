"""The registry's file: how it comes to be, and how it is brought to the schema of this program.

Rules of this file: a new file appears under its name only when it is whole; an existing one is never replaced.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.errors import RefusedError
from agent.registry.connect import APPLICATION, connect, current, translate_sqlite_errors, version
from agent.registry.schema.versions import SCHEMA
from agent.runtime import migrations
from rules.text import Text
from rules.visible import visible


def migrate(path: Path) -> None:
    """Make the registry when there is none, else bring it to the newest schema; do nothing when it is current.

    Raises :class:`agent.errors.RefusedError` for the registry of a newer program or a place that cannot be written, and
    :class:`agent.errors.FatalError` for a file that is something else (an empty file is: it held a registry once).
    """
    if path.exists():
        upgrade(path)
    else:
        create(path)


def create(path: Path) -> None:
    """Make an empty registry with mode 0600; raise :class:`agent.errors.RefusedError` when the name is taken."""
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)  # an earlier attempt that was killed
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with closing(connect(unfinished, "rw")) as connection, translate_sqlite_errors(unfinished):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            _upgrade(connection)
        os.link(unfinished, path)  # unlike rename, it never replaces a registry somebody else just made
        unfinished.unlink()
        _sync_directory(path.parent)
    except OSError as error:
        why = visible(str(error.strerror))
        raise RefusedError(
            Text(
                f"the registry `{visible(str(path))}` cannot be made: `{why}`",
                f"无法创建登记库 `{visible(str(path))}`：`{why}`",
            ),
            Text("check the directory, or name another --home", "请检查目录，或改用 --home"),
        ) from error


def upgrade(path: Path) -> None:
    """Apply what is missing to an existing registry.

    Raises :class:`agent.errors.FatalError` for one beside another's write-ahead log, which is then as it was: whoever
    may write would fold the two together when he closes the file.
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
