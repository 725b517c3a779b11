"""The tables, as ordered migrations that are never edited once released.

Rules of this file: all pending migrations and the version number are one transaction; a new file appears under its name
only when it is whole. Tables are STRICT; ``1`` and ``0`` are true and false; an instant is text
(:mod:`agent.registry.columns`). Nobody is deleted: a person becomes inactive, a grant ends, a hold is lifted, a record
is voided, an area is removed, and the row stays for the inspection.
"""

import os
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database, Migrations

from agent.errors import RefusedError
from agent.registry import migrations_people, migrations_rooms
from agent.registry.connect import APPLICATION, VERSION, connect, translate_sqlite_errors, version
from rules.text import Text
from rules.visible import visible

registry = Migrations("registry")


@registry()
def m001_first(db: Database) -> None:
    """Everything a decision may ask about."""
    for statement in migrations_people.FIRST:
        db.execute(statement)


@registry()
def m002_cases(db: Database) -> None:
    """Departure cases: approvals, hand-over, what follows."""
    for statement in migrations_people.CASES:
        db.execute(statement)


@registry()
def m003_second(db: Database) -> None:
    """What waits for a second officer."""
    for statement in migrations_people.SECOND:
        db.execute(statement)


@registry()
def m004_rooms(db: Database) -> None:
    """Rooms: what each asks, its doors, badges and PINs, visitors, and what happens there."""
    for statement in migrations_rooms.ROOMS:
        db.execute(statement)


@registry()
def m005_beside(db: Database) -> None:
    """A departure beside the transfer it overtakes."""
    for statement in migrations_people.BESIDE:
        db.execute(statement)


@registry()
def m006_reset(db: Database) -> None:
    """When the list of who is inside a room is emptied each day."""
    for statement in migrations_rooms.RESET:
        db.execute(statement)


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
            _apply(Database(connection, execute_plugins=False))
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
    """Apply what is missing to an existing registry."""
    with closing(connect(path, "rw")) as connection:
        if version(path, connection) < VERSION:
            with translate_sqlite_errors(path):
                _apply(Database(connection, execute_plugins=False))


def _apply(db: Database) -> None:
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        registry.apply(db)  # joins the open transaction by savepoints
        db.conn.execute(f"PRAGMA user_version = {VERSION}")
        db.conn.execute("COMMIT")
    except BaseException:
        db.conn.execute("ROLLBACK")
        raise
    db.conn.execute("PRAGMA journal_mode = WAL")  # kept in the file; readers never wait for the writer


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
