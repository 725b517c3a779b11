"""Queries of departures as decisions see them, including those set aside.

Rules of this file: departures are in the order in which they were opened.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class DepartureQueries:
    """Queries of departures."""

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
