"""Migrations of databases to the present schema.

Rules of this file: all missing migrations of a file and its new version are one transaction, so that it is at one
version or at another and never between. The file itself records, by name, its migrations. Errors of SQLite propagate:
the owner of the database words them. This module loads sqlite-utils and its dependencies; processes that must start
fast import it only for a file that is behind.
"""

import sqlite3
from collections.abc import Callable

from sqlite_utils import Database, Migrations

from agent.runtime.schema import Schema


def upgrade(connection: sqlite3.Connection, schema: Schema) -> None:
    """Apply the missing migrations, or none; another process may be doing the same. Raises :class:`sqlite3.Error`.

    *connection* is in autocommit, and stays so. A failed migration is undone completely.
    """
    migrations = Migrations(schema.name)
    for name, statements in schema.migrations:
        migrations(name=name)(_running(statements))
    database = Database(connection, execute_plugins=False, recursive_triggers=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(database)  # joins the open transaction by savepoints
        connection.execute(f"PRAGMA user_version = {schema.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself after some errors
            connection.execute("ROLLBACK")
        raise


def _running(statements: tuple[str, ...]) -> Callable[[Database], None]:
    def run(database: Database) -> None:
        for statement in statements:
            database.execute(statement)

    return run
