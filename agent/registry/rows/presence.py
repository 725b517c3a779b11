"""From rows to who is inside which room.

Rules of this file: standard library only; the caller holds the read transaction. A room that was removed has nobody
inside.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import moment


class PresenceRow(NamedTuple):
    """Somebody who is inside a room, since when, and the door they came by."""

    room: str
    person: str
    since: datetime
    door: str


def presence(connection: sqlite3.Connection, place: str = "", person: str = "") -> tuple[PresenceRow, ...]:
    """Return who is inside, in one room or in all, ordered by room and arrival."""
    rows = connection.execute(
        "SELECT name, person, since, door FROM presence JOIN resources ON key = room"
        " WHERE (?1 = '' OR name = ?1) AND (?2 = '' OR person = ?2) AND removed_at IS NULL"
        " ORDER BY name, since, person",
        (place, person),
    )
    return tuple(PresenceRow(name, who, moment(since), door) for name, who, since, door in rows)


def inside(connection: sqlite3.Connection, person: str) -> frozenset[str]:
    """Return the rooms *person* is in."""
    rows = connection.execute(
        "SELECT name FROM presence JOIN resources ON key = room WHERE person = ? AND removed_at IS NULL", (person,)
    )
    return frozenset(name for (name,) in rows)
