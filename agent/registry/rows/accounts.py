"""Rows of accounts: the person to whom a Linux uid belongs.

Rules of this file: standard library only; the caller holds the read transaction. An inactive person keeps their uid.
"""

import sqlite3


def person_of_uid(connection: sqlite3.Connection, uid: int) -> str | None:
    """Return the person to whom this uid belongs."""
    row = connection.execute("SELECT person FROM accounts WHERE uid = ?", (uid,)).fetchone()
    return None if row is None else str(row[0])


def accounts(connection: sqlite3.Connection) -> dict[int, str]:
    """Return uid → person for every account."""
    return dict(connection.execute("SELECT uid, person FROM accounts"))


def former_owner(connection: sqlite3.Connection, uid: int) -> str | None:
    """Return the last owner of *uid*, if it has none now."""
    row = connection.execute("SELECT person FROM former_accounts WHERE uid = ?", (uid,)).fetchone()
    return None if row is None else str(row[0])


def was_on_host(connection: sqlite3.Connection, uid: int) -> bool:
    """Return whether the host had an account with this number when it was assigned to a person."""
    return connection.execute("SELECT 1 FROM accounts WHERE uid = ? AND on_host", (uid,)).fetchone() is not None
