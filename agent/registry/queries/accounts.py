"""Accounts of people.

Rules of this file: an inactive person still has theirs.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class AccountQueries:
    """Accounts."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "") -> list[Row]:
        """Return uid, person and account name, ordered by uid."""
        return self._connection.select("SELECT uid, person, name FROM accounts", when("person", person), "ORDER BY uid")
