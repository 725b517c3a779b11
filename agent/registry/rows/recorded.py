"""From rows to the changes that the log has an entry of.

Rules of this file: standard library only; the caller holds the read transaction.
"""

import sqlite3

from agent.registry.lineage import RecordedChange


def newest(connection: sqlite3.Connection) -> RecordedChange | None:
    """Return the last change that was recorded; ``None`` in a registry that remembers none."""
    row = connection.execute("SELECT entry, epoch, change FROM recorded_changes ORDER BY entry DESC LIMIT 1").fetchone()
    return None if row is None else RecordedChange(*row)


def changes(connection: sqlite3.Connection) -> tuple[RecordedChange, ...]:
    """Return all of them, the first one first."""
    rows = connection.execute("SELECT entry, epoch, change FROM recorded_changes ORDER BY entry")
    return tuple(RecordedChange(*row) for row in rows)
