"""Queries of badges that people hold or held.

Rules of this file: a lost badge is listed with its state; a returned badge is listed on request.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class BadgeQueries:
    """Queries of badges."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, returned: bool = False) -> list[Row]:
        """Return the badges of people, lost badges included; with *returned* also the returned ones."""
        return self._connection.select(
            "SELECT number, person, state, until, given_at FROM badges",
            {**when("person", person), "state <> 'returned' OR ?": (returned,)},
            "ORDER BY number",
        )
