"""Queries of doors with their readers.

Rules of this file: doors are ordered by name.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class DoorQueries:
    """Queries of doors."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "", door: str = "") -> list[Row]:
        """Return the doors with their readers, of one room or by name."""
        rows = self._connection.select(
            "SELECT doors.name, resources.name AS room, protocol, strike, output, strike_seconds,"
            ' contact AS "contact [bool]", doors.added_at FROM doors JOIN resources ON key = room',
            {**when("resources.name", room), **when("doors.name", door)},
            "ORDER BY doors.name",
        )
        readers = self._connection.select(
            "SELECT door, address, side, key, keyed_at FROM readers", order="ORDER BY side, address"
        )
        named = [(reader.pop("door"), reader) for reader in readers]
        return [row | {"readers": [reader for door, reader in named if door == row["name"]]} for row in rows]
