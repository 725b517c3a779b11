"""Queries of holds, in force or lifted.

Rules of this file: holds are in the order in which they were placed.
"""

from agent.registry.columns import number
from agent.registry.queries.connection import QueryConnection, Row, when
from agent.registry.terms import HOLD
from agent.registry.validation import unknown

_HOLDS = (
    "SELECT printf('H%06d', number) AS id, person, since, reason, placed_by, two_officers AS \"two_officers [bool]\","
    " lift_asked_by, lift_asked_at, lifted_at, lifted_by, lift_reason FROM holds"
)


class HoldQueries:
    """Queries of holds."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, lifted: bool = False) -> list[Row]:
        """Return the holds in force, or with *lifted* all of them."""
        return self._connection.select(
            _HOLDS, {**when("person", person), "lifted_at IS NULL OR ?": (lifted,)}, "ORDER BY number"
        )

    def get(self, name: str) -> Row:
        """Return the hold of this number, lifted or not; raise ``RefusedError`` when there is none."""
        rows = self._connection.select(_HOLDS, {"number = ?": (number("H", name, HOLD),)})
        if not rows:
            raise unknown(HOLD, name, "shoumi hold list")
        return rows[0]
