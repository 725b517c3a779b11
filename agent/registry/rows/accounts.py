"""From rows to whose a Linux uid is.

Rules of this file: standard library only; the caller holds the read transaction. The uid of an inactive person is still
that person's.
"""

import sqlite3


def person_of_uid(connection: sqlite3.Connection, uid: int) -> str | None:
    """Return the person this uid belongs to."""
    found = connection.execute("SELECT person FROM accounts WHERE uid = ?", (uid,)).fetchone()
    return None if found is None else str(found[0])


def accounts(connection: sqlite3.Connection) -> dict[int, str]:
    """Return uid → person for every account."""
    return dict(connection.execute("SELECT uid, person FROM accounts"))


def former_owner(connection: sqlite3.Connection, uid: int) -> str | None:
    """Return whose *uid* was last, while it is nobody's."""
    found = connection.execute("SELECT person FROM former_accounts WHERE uid = ?", (uid,)).fetchone()
    return None if found is None else str(found[0])


def was_on_host(connection: sqlite3.Connection, uid: int) -> bool:
    """Whether the host had an account of this number when it was bound to a person."""
    return connection.execute("SELECT 1 FROM accounts WHERE uid = ? AND on_host", (uid,)).fetchone() is not None
