"""Queries of the people inside rooms.

Rules of this file: rows are ordered by room and arrival.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class PresenceQueries:
    """Queries of presence."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "", person: str = "") -> list[Row]:
        """Return the people inside each room, since when, and the door by which they came."""
        return self._connection.select(
            "SELECT resources.name AS room, person, people.name AS name, employment, since, door FROM presence"
            " JOIN resources ON key = room JOIN people ON people.id = person",
            {**when("resources.name", room), **when("person", person)},
            "ORDER BY resources.name, since, person",
        )
