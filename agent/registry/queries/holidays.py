"""Queries of the holidays of the site.

Rules of this file: holidays are in calendar order.
"""

from agent.registry.queries.connection import QueryConnection, Row


class HolidayQueries:
    """Queries of holidays."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> list[Row]:
        """Return the day and name of every holiday."""
        return self._connection.select("SELECT day, name FROM holidays", order="ORDER BY day")
