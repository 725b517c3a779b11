"""From rows to what the site as a whole has set: its settings and its holidays.

Rules of this file: standard library only; the caller holds the read transaction.
"""

import sqlite3
from datetime import date

HOST_ROOM = "host-room"  # the room this host stands in
ROLES = "roles"  # the OS groups of the three roles; not set: the site is a trial
LISTENS_AT = "doors-listen"  # where boards send their events


def setting(connection: sqlite3.Connection, name: str) -> str:
    """Return a setting of the site, ``""`` when nobody has set it."""
    found = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return "" if found is None else str(found[0])


def holidays(connection: sqlite3.Connection) -> frozenset[date]:
    """Return every registered holiday."""
    return frozenset(date.fromisoformat(day) for (day,) in connection.execute("SELECT day FROM holidays"))
