"""Queries of visits, with the names of the visitors.

Rules of this file: visits are in the order in which they were registered.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class VisitQueries:
    """Queries of visits."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, room: str = "", now: str = "") -> list[Row]:
        """Return visits; with the stored instant *now* only those not over then.

        A visit is over when its visitor has left, or when it ended and the visitor is in no room.
        """
        running = (
            "left_at IS NULL AND (ended_at IS NULL AND until > ? OR EXISTS"
            " (SELECT 1 FROM presence WHERE presence.person = visits.person))"
        )
        return self._connection.select(
            "SELECT printf('V%06d', number) AS id, visits.person, people.name AS visitor, host, escort,"
            " resources.name AS room, purpose, since, until, badge, registered_by, ended_at, ended_by, left_at"
            " FROM visits JOIN resources ON key = visits.room JOIN people ON people.id = visits.person",
            {**when("visits.person", person), **when("resources.name", room), running: (now,) if now else ()},
            "ORDER BY number",
        )
