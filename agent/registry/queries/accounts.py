"""Queries of the accounts of people.

Rules of this file: an inactive person keeps their accounts.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class AccountQueries:
    """Queries of accounts."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "") -> list[Row]:
        """Return uid, person and account name, ordered by uid."""
        question = 'SELECT uid, person, name, on_host AS "on_host [bool]" FROM accounts'
        return self._connection.select(question, when("person", person), "ORDER BY uid")
