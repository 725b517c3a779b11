"""Bringing a database up to date.

Rules of this file: all migrations that a file lacks and its new version are one transaction, so that it is at one
version or at another and never between. The file itself remembers, by name, what it has. Errors of SQLite pass through:
whoever owns the database says in its own words what they mean. This module loads sqlite-utils, and with it whatever
that loads; who has to start fast imports it only for a file that is behind.
"""

import sqlite3
from collections.abc import Callable

from sqlite_utils import Database, Migrations

from agent.runtime.schema import Schema


def upgrade(connection: sqlite3.Connection, schema: Schema) -> None:
    """Apply what is missing, or nothing; another process may be doing the same. Raises :class:`sqlite3.Error`.

    *connection* is in autocommit, and stays so. Of a failed migration nothing is left.
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
