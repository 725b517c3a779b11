"""Rooms, with what each asks, how its panel is set, its scope, and what is kept there.

Rules of this file: what was removed is not listed. Rules and settings are the fields of their dataclasses.
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
    """Rooms."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "") -> list[Row]:
        """Return the rooms, or the one of this name, ordered by name."""
        rows = with_scope(self._connection, _ROOMS, room)
        kept = self._connection.select(
            "SELECT r.name AS room, a.name AS area FROM kept_areas JOIN resources r ON r.key = room"
            " JOIN resources a ON a.key = area",
            order="ORDER BY a.name",
        )
        return [row | {"keeps": [one["area"] for one in kept if one["room"] == row["name"]]} for row in rows]
