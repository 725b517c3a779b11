"""Queries of declarations that people made for rooms.

Rules of this file: declarations are in the order in which they were taken.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class DeclarationQueries:
    """Queries of declarations."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, room: str = "", now: str = "") -> list[Row]:
        """Return the declarations for rooms; with the stored instant *now* only those still valid then."""
        return self._connection.select(
            "SELECT printf('S%06d', number) AS id, person, name AS room, purpose, devices,"
            ' declares AS "declares [bool]", since, until, taken_by, ended_at'
            " FROM declarations JOIN resources ON key = declarations.room",
            {
                **when("person", person),
                **when("name", room),
                "ended_at IS NULL AND until > ?": (now,) if now else (),
            },
            "ORDER BY number",
        )
