"""What a database of the agent is made of: named migrations in order, counted in its ``PRAGMA user_version``.

Rules of this file: standard library only, because the guard asks for the version of the registry. A released migration
keeps its name, its place and what it says; tables are changed by adding one behind it. Who carries them out is
:mod:`agent.runtime.migrations`.
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible


class Migration(NamedTuple):
    """One step of a schema. The file remembers it by its name."""

    name: str
    statements: tuple[str, ...]


class Schema(NamedTuple):
    """All migrations of one database, which remembers them under ``name`` and is called ``database`` before people."""

    name: str
    database: Text
    migrations: tuple[Migration, ...]

    @property
    def version(self) -> int:
        """The version this program knows: the number of migrations."""
        return len(self.migrations)


def version(path: Path, connection: sqlite3.Connection, schema: Schema) -> int:
    """Return the version of the file at *path*, 0 for an empty one.

    Raises :class:`agent.errors.RefusedError` when a newer program wrote it, and :class:`sqlite3.Error`.
    """
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found > schema.version:
        shown, database = visible(str(path)), schema.database
        raise RefusedError(
            Text(
                f"the {database.en} `{shown}` has schema {found}, and this program knows {schema.version}",
                f"{database.zh} `{shown}` 的结构版本为 {found}，本程序只识别到 {schema.version}",
            ),
            Text("use the newer program that wrote it", "请使用写入它的较新程序"),
        )
    return int(found)
