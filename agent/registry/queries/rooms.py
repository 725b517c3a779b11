"""Queries of rooms, with their rules, panel settings, scope, and the areas kept there.

Rules of this file: removed rooms are not listed. Rules and settings are the fields of their dataclasses.
"""

from agent.registry.queries.connection import QueryConnection, Row, selected
from agent.registry.queries.scopes import with_scope
from agent.registry.rows.resources import ROOM_RULES
from agent.registry.rows.rooms import ROOM_SETTINGS

_ROOMS = (
    'SELECT key, name, level AS "level [level]", domain, mode, custodian, hours, secret_until,'  # noqa: S608 - our own
    f" {selected(ROOM_RULES)}, {selected(ROOM_SETTINGS)}, added_at FROM rooms JOIN resources ON key = resource"
)


class RoomQueries:
    """Queries of rooms."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "") -> list[Row]:
        """Return all rooms, or the one of this name, ordered by name."""
        rows = with_scope(self._connection, _ROOMS, room)
        kept_areas = self._connection.select(
            "SELECT r.name AS room, a.name AS area FROM kept_areas JOIN resources r ON r.key = room"
            " JOIN resources a ON a.key = area",
            order="ORDER BY a.name",
        )
        return [row | {"keeps": [pair["area"] for pair in kept_areas if pair["room"] == row["name"]]} for row in rows]
