"""Queries of the people who have a PIN.

Rules of this file: a PIN or its digest is never returned.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class PinQueries:
    """Queries of PINs."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "") -> list[Row]:
        """Return the people who have a PIN, whether they have a duress PIN, and since when."""
        return self._connection.select(
            'SELECT person, duress IS NOT NULL AS "duress [bool]", set_at FROM pins',
            when("person", person),
            "ORDER BY person",
        )
