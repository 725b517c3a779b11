"""Rows of the settings and holidays of the site.

Rules of this file: standard library only; the caller holds the read transaction.
"""

import sqlite3
from datetime import date

HOST_ROOM = "host-room"  # the room in which this host stands
ROLES = "roles"  # the OS groups of the three roles; not set: the site is a trial
LISTENS_AT = "doors-listen"  # the address to which boards send their events


def setting(connection: sqlite3.Connection, name: str) -> str:
    """Return a setting of the site, ``""`` when it is not set."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return "" if row is None else str(row[0])


def holidays(connection: sqlite3.Connection) -> frozenset[date]:
    """Return every registered holiday."""
    return frozenset(date.fromisoformat(day) for (day,) in connection.execute("SELECT day FROM holidays"))
