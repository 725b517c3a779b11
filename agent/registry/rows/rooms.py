"""Rows of rooms: the resource for decisions, the panel settings, and the areas kept in each.

Rules of this file: standard library only; the caller holds the read transaction. Removed rooms are left out.
"""

import sqlite3
from typing import NamedTuple

from agent.registry.dataclass_columns import DataclassColumns
from agent.registry.rows.resources import resource
from rules.model import Resource, RoomSettings


class RoomRow(NamedTuple):
    """A room: its resource for decisions, its settings, and the areas kept in it."""

    resource: Resource
    settings: RoomSettings
    keeps: tuple[str, ...]


ROOM_SETTINGS = DataclassColumns(RoomSettings)
_SETTINGS = f"SELECT {ROOM_SETTINGS.selected} FROM rooms WHERE resource = ?"  # noqa: S608 - names of our own


def room(connection: sqlite3.Connection, name: str) -> RoomRow | None:
    """Return the room of this name, ``None`` when there is none."""
    keyed_resource = resource(connection, name)
    if keyed_resource is None or keyed_resource[1].room is None:
        return None
    key, room_resource = keyed_resource
    [row] = connection.execute(_SETTINGS, (key,))
    areas = connection.execute(
        "SELECT name FROM kept_areas JOIN resources ON key = area WHERE kept_areas.room = ? ORDER BY name", (key,)
    )
    return RoomRow(room_resource, ROOM_SETTINGS.read(row), tuple(area for (area,) in areas))


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
    """Return the stored state of each room's panel, unchanged."""
    return dict(
        connection.execute("SELECT name, state FROM room_states JOIN resources ON key = room WHERE removed_at IS NULL")
    )
