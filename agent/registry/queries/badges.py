"""Badges people have, or had.

Rules of this file: a lost one is listed, and says so; one taken back is listed when it is asked for.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class BadgeQueries:
    """Badges."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, returned: bool = False) -> list[Row]:
        """Return the badges people have, lost ones too, or with *returned* also those taken back."""
        return self._connection.select(
            "SELECT number, person, state, until, given_at FROM badges",
            {**when("person", person), "state <> 'returned' OR ?": (returned,)},
            "ORDER BY number",
        )
