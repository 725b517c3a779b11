"""Who is inside which room.

Rules of this file: everything is ordered by room and arrival.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class PresenceQueries:
    """Who is inside."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "", person: str = "") -> list[Row]:
        """Return who is inside which room, since when, and by which door."""
        return self._connection.select(
            "SELECT resources.name AS room, person, people.name AS name, employment, since, door FROM presence"
            " JOIN resources ON key = room JOIN people ON people.id = person",
            {**when("resources.name", room), **when("person", person)},
            "ORDER BY resources.name, since, person",
        )
