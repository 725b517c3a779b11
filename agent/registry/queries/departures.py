"""Departures as a decision sees them, and those that were set aside.

Rules of this file: everything is in the order it was opened.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class DepartureQueries:
    """Departures."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "") -> list[Row]:
        """Return every departure."""
        return self._connection.select(
            "SELECT printf('D%06d', number) AS id, person, stage, approved_at, cooling_off_until, approver, opened_at,"
            " effective_at, set_aside_at FROM departures",
            when("person", person),
            "ORDER BY number",
        )
