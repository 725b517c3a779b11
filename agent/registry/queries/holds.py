"""Holds: those in force, and with them those that were lifted.

Rules of this file: everything is in the order it was placed.
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
    """Holds."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, lifted: bool = False) -> list[Row]:
        """Return the holds in force, or with *lifted* all of them."""
        return self._connection.select(
            _HOLDS, {**when("person", person), "lifted_at IS NULL OR ?": (lifted,)}, "ORDER BY number"
        )

    def get(self, name: str) -> Row:
        """Return the hold of this number, lifted or not; raise ``RefusedError`` when there is none."""
        found = self._connection.select(_HOLDS, {"number = ?": (number("H", name, HOLD),)})
        if not found:
            raise unknown(HOLD, name, "shoumi hold list")
        return found[0]
