"""From rows to rooms: what a decision knows of each, how its panel is set, what is kept in it.

Rules of this file: standard library only; the caller holds the read transaction. What was removed does not exist.
"""

import sqlite3
from typing import NamedTuple

from agent.registry.dataclass_columns import DataclassColumns
from agent.registry.rows.resources import resource
from rules.model import Resource, RoomSettings


class RoomRow(NamedTuple):
    """A room: what a decision knows of it, its settings, and the areas that are kept in it."""

    resource: Resource
    settings: RoomSettings
    keeps: tuple[str, ...]


ROOM_SETTINGS = DataclassColumns(RoomSettings)
_SETTINGS = f"SELECT {ROOM_SETTINGS.selected} FROM rooms WHERE resource = ?"  # noqa: S608 - names of our own


def room(connection: sqlite3.Connection, name: str) -> RoomRow | None:
    """Return the room of this name, ``None`` when there is none."""
    found = resource(connection, name)
    if found is None or found[1].room is None:
        return None
    key, known = found
    [row] = connection.execute(_SETTINGS, (key,))
    areas = connection.execute(
        "SELECT name FROM kept_areas JOIN resources ON key = area WHERE kept_areas.room = ? ORDER BY name", (key,)
    )
    return RoomRow(known, ROOM_SETTINGS.read(row), tuple(area for (area,) in areas))


def rooms(connection: sqlite3.Connection) -> tuple[RoomRow, ...]:
    """Return every room, ordered by name."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM resources WHERE kind = 'room' AND removed_at IS NULL ORDER BY name"
        ).fetchall()
    ]
    return tuple(row for name in names if (row := room(connection, name)))


def room_states(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the stored state of each room's panel, as it was given."""
    return dict(
        connection.execute("SELECT name, state FROM room_states JOIN resources ON key = room WHERE removed_at IS NULL")
    )
