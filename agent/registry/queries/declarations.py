"""What people stated for rooms.

Rules of this file: everything is in the order it was taken.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class DeclarationQueries:
    """Declarations."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, room: str = "", now: str = "") -> list[Row]:
        """Return what people stated for rooms; with the stored instant *now* only what is not over then."""
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
