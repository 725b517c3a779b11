"""Queries of grants: running, coming, or over.

Rules of this file: an empty filter restricts nothing. Grants of removed areas and rooms are among those that are over.
"""

from datetime import datetime
from typing import Literal

from agent.registry.columns import instant, number
from agent.registry.queries.connection import QueryConnection, Row, when
from agent.registry.terms import GRANT
from agent.registry.validation import unknown

State = Literal["running", "coming", "over", "all"]

_GRANTS = (
    "SELECT printf('G%06d', number) AS id, person, name AS resource, reason, approver, since, until,"
    ' temporary AS "temporary [bool]", grants.added_at, ended_at, ended_by, end_reason,'
    " paper_by, paper, paper_on"
    " FROM grants JOIN resources ON key = resource"
)
_STATES = {
    "running": "since <= ? AND (until IS NULL OR until > ?)",
    "coming": "since > ? AND (until IS NULL OR until > ?)",
    "over": "until <= ? AND until <= ?",
}


class GrantQueries:
    """Queries of grants."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, now: datetime, *, person: str = "", resource: str = "", state: State = "running") -> list[Row]:
        """Return grants in the order in which they were given."""
        conditions = {**when("person", person), **when("name", resource)}
        if state != "all":
            conditions[_STATES[state]] = (instant(now), instant(now))
        return self._connection.select(_GRANTS, conditions, "ORDER BY number")

    def of_person(self, person: str) -> list[Row]:
        """Return every grant of *person* in the order in which they were given."""
        return self._connection.select(_GRANTS, {"person = ?": (person,)}, "ORDER BY number")

    def get(self, name: str) -> Row:
        """Return the grant of this number, over or not; raise ``RefusedError`` when there is none."""
        rows = self._connection.select(_GRANTS, {"number = ?": (number("G", name, GRANT),)})
        if not rows:
            raise unknown(GRANT, name, "shoumi grant list")
        return rows[0]

    def ending(self, now: datetime, until: datetime) -> list[Row]:
        """Return the grants that run at *now* and expire after it, not after *until*, soonest first."""
        conditions = {"since <= ? AND until > ?": (instant(now), instant(now)), "until <= ?": (instant(until),)}
        return self._connection.select(_GRANTS, conditions, "ORDER BY until, number")

    def lapsed(self, after: datetime, now: datetime) -> list[Row]:
        """Return the grants that expired between *after* and *now*, in that order."""
        conditions = {"until > ?": (instant(after),), "until <= ?": (instant(now),), "ended_at IS NULL": ()}
        return self._connection.select(_GRANTS, conditions, "ORDER BY until, number")
