"""Who has a PIN.

Rules of this file: never the PIN.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class PinQueries:
    """PINs."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "") -> list[Row]:
        """Return who has a PIN, whether also one for duress, and since when."""
        return self._connection.select(
            'SELECT person, duress IS NOT NULL AS "duress [bool]", set_at FROM pins',
            when("person", person),
            "ORDER BY person",
        )
