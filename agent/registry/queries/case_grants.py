"""Queries of grants that offboarding cases ended, and of those that were restored.

Rules of this file: removed areas and rooms are not listed.
"""

from agent.registry.columns import number
from agent.registry.queries.connection import QueryConnection
from agent.registry.terms import CASE


class CaseGrantQueries:
    """Queries of grants that cases ended."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def restored(self) -> list[str]:
        """Return the grants that two officers restored, as ``C000001.G000012``: the case and the grant it ended."""
        rows = self._connection.select(
            "SELECT printf('C%06d.', departure_case) || grant_id AS id FROM case_restorations",
            {"given_by <> ''": ()},
            "ORDER BY 1",
        )
        return [str(row["id"]) for row in rows]

    def lost(self, case: str) -> list[str]:
        """Return the names of the areas and rooms for which the approval of *case* ended a grant, once each."""
        rows = self._connection.select(
            "SELECT DISTINCT name FROM case_grants JOIN grants ON grants.number = ended_grant"
            " JOIN resources ON key = resource",
            {"departure_case = ?": (number("C", case, CASE),), "removed_at IS NULL": ()},
            "ORDER BY name",
        )
        return [str(row["name"]) for row in rows]
