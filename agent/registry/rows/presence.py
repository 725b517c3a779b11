"""Rows of presence: the people inside each room.

Rules of this file: standard library only; the caller holds the read transaction. Nobody is inside a removed room.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import moment


class PresenceRow(NamedTuple):
    """A person inside a room, since when, and the door by which they came."""

    room: str
    person: str
    since: datetime
    door: str


def presence(connection: sqlite3.Connection, place: str = "", person: str = "") -> tuple[PresenceRow, ...]:
    """Return the people inside one room or all rooms, ordered by room and arrival."""
    rows = connection.execute(
        "SELECT name, person, since, door FROM presence JOIN resources ON key = room"
        " WHERE (?1 = '' OR name = ?1) AND (?2 = '' OR person = ?2) AND removed_at IS NULL"
        " ORDER BY name, since, person",
        (place, person),
    )
    return tuple(PresenceRow(name, occupant, moment(since), door) for name, occupant, since, door in rows)


def inside(connection: sqlite3.Connection, person: str) -> frozenset[str]:
    """Return the rooms that *person* is inside."""
    rows = connection.execute(
        "SELECT name FROM presence JOIN resources ON key = room WHERE person = ? AND removed_at IS NULL", (person,)
    )
    return frozenset(name for (name,) in rows)
