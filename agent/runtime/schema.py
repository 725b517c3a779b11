"""Schemas of the agent's databases: named migrations in order, counted in ``PRAGMA user_version``.

Rules of this file: standard library only, because the guard reads the version of the registry. A released migration
keeps its name, its place and its statements; tables are changed by a further migration. :mod:`agent.runtime.migrations`
applies them.
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from agent.errors import RefusedError
from rules.text import Message, Sentence
from rules.visible import visible


class Migration(NamedTuple):
    """One step of a schema. The file records it by its name."""

    name: str
    statements: tuple[str, ...]


class Schema(NamedTuple):
    """All migrations of one database, which records them under ``name``; ``database`` is its name for people."""

    name: str
    database: Sentence
    migrations: tuple[Migration, ...]

    @property
    def version(self) -> int:
        """The version this program knows: the number of migrations."""
        return len(self.migrations)


def version(path: Path, connection: sqlite3.Connection, schema: Schema) -> int:
    """Return the version of the file at *path*, 0 for an empty one.

    Raises :class:`agent.errors.RefusedError` when a newer program wrote it, and :class:`sqlite3.Error`.
    """
    [stored] = connection.execute("PRAGMA user_version").fetchone()
    if stored > schema.version:
        file, database = visible(str(path)), schema.database
        raise RefusedError(
            Message("runtime.schema-newer", database=database, file=file, stored=stored, version=schema.version),
            Message("runtime.use-newer-program"),
        )
    return int(stored)
