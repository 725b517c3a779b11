"""Rows of the changes that have a log entry.

Rules of this file: standard library only; the caller holds the read transaction.
"""

import sqlite3

from agent.registry.lineage import RecordedChange


def newest(connection: sqlite3.Connection) -> RecordedChange | None:
    """Return the last recorded change; ``None`` in a registry without recorded changes."""
    row = connection.execute("SELECT entry, epoch, change FROM recorded_changes ORDER BY entry DESC LIMIT 1").fetchone()
    return None if row is None else RecordedChange(*row)


def changes(connection: sqlite3.Connection) -> tuple[RecordedChange, ...]:
    """Return all recorded changes, oldest first."""
    rows = connection.execute("SELECT entry, epoch, change FROM recorded_changes ORDER BY entry")
    return tuple(RecordedChange(*row) for row in rows)
