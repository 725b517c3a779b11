"""Queries of offboarding cases, as stored.

Rules of this file: cases are in the order in which they were opened.
"""

from datetime import datetime

from agent.registry.columns import instant, number
from agent.registry.queries.connection import QueryConnection, Row, when
from agent.registry.rows.cases import whole_case
from agent.registry.terms import CASE
from agent.registry.validation import unknown, without_case
from rules.offboarding.case import OffboardingCase


class CaseQueries:
    """Queries of offboarding cases."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, person: str = "", *, batch: str = "", over: bool = False) -> list[OffboardingCase]:
        """Return the running cases, or with *over* all of them; only those of *batch*, if it is given."""
        rows = self._connection.select(
            "SELECT number FROM cases",
            {**when("person", person), **when("batch", batch), "over = 0 OR ?": (over,)},
            "ORDER BY number",
        )
        return [self._case(row) for row in rows]

    def due(self, now: datetime) -> list[OffboardingCase]:
        """Return the cases whose leave date has come at *now* and was not carried out, earliest first."""
        rows = self._connection.select(
            "SELECT number FROM cases",
            {
                "over = 0": (),
                "carried_out_at IS NULL": (),
                "effective_at <= ?": (instant(now),),
                "approved_at < effective_at": (),
            },
            "ORDER BY effective_at, number",
        )
        return [self._case(row) for row in rows]

    def leaving(self, now: datetime, until: datetime) -> list[OffboardingCase]:
        """Return the approved cases whose leave date is after *now* and not after *until*, earliest first."""
        rows = self._connection.select(
            "SELECT number FROM cases",
            {
                "over = 0": (),
                "approved_at IS NOT NULL": (),
                "effective_at > ? AND effective_at <= ?": (instant(now), instant(until)),
            },
            "ORDER BY effective_at, number",
        )
        return [self._case(row) for row in rows]

    def get(self, name: str) -> OffboardingCase:
        """Return the case of this number, or the newest case of this person, running cases first.

        Raises :class:`agent.errors.RefusedError` when there is none.
        """
        select = self._connection.select
        rows = select("SELECT number FROM cases", {"person = ?": (name,)}, "ORDER BY over, number DESC LIMIT 1")
        if not rows and select("SELECT id FROM people", {"id = ?": (name,)}):
            raise without_case(name)
        if not rows:
            rows = select("SELECT number FROM cases", {"number = ?": (number("C", name, CASE),)})
        if not rows:
            raise unknown(CASE, name, "shoumi case list")
        return self._case(rows[0])

    def _case(self, row: Row) -> OffboardingCase:
        return self._connection.read(whole_case, self._connection.path, int(str(row["number"])))
