"""Losses: what acts took from people, by number and by time.

Rules of this file: everything is in the order it was lost.
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
    """Losses."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def get(self, name: str) -> Row:
        """Return the loss of this number; raise ``RefusedError`` when there is none."""
        found = self._connection.select(_LOSSES, {"number = ?": (number("L", name, LOSS),)})
        if not found:
            raise unknown(LOSS, name, "shoumi log list --kind act")
        return found[0]

    def of_person(self, person: str) -> list[Row]:
        """Return everything that *person* has lost."""
        return self._connection.select(_LOSSES, {"person = ?": (person,)}, "ORDER BY number")

    def since(self, after: datetime) -> list[Row]:
        """Return what was lost after an instant."""
        return self._connection.select(_LOSSES, {"at > ?": (instant(after),)}, "ORDER BY number")
