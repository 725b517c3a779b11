"""Holidays of the site.

Rules of this file: everything is in the order of the calendar.
"""

from agent.registry.queries.connection import QueryConnection, Row


class HolidayQueries:
    """Holidays."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> list[Row]:
        """Return day and name."""
        return self._connection.select("SELECT day, name FROM holidays", order="ORDER BY day")
