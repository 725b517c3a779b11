"""Queries of losses: rights that acts took from people, by number and by time.

Rules of this file: losses are in the order in which they occurred.
"""

from datetime import datetime

from agent.registry.columns import instant, number
from agent.registry.queries.connection import QueryConnection, Row
from agent.registry.terms import LOSS
from agent.registry.validation import unknown

_LOSSES = (
    'SELECT printf(\'L%06d\', number) AS id, person, areas AS "areas [json]", rooms AS "rooms [json]",'
    ' uids AS "uids [json]", act, entry, by, at, reason FROM losses'
)


class LossQueries:
    """Queries of losses."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def get(self, name: str) -> Row:
        """Return the loss of this number; raise ``RefusedError`` when there is none."""
        rows = self._connection.select(_LOSSES, {"number = ?": (number("L", name, LOSS),)})
        if not rows:
            raise unknown(LOSS, name, "shoumi log list --kind act")
        return rows[0]

    def of_person(self, person: str) -> list[Row]:
        """Return every loss of *person*."""
        return self._connection.select(_LOSSES, {"person = ?": (person,)}, "ORDER BY number")

    def since(self, after: datetime) -> list[Row]:
        """Return the losses after an instant."""
        return self._connection.select(_LOSSES, {"at > ?": (instant(after),)}, "ORDER BY number")
