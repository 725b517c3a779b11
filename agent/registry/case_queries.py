"""Lists of departure cases, and one case as it is stored."""

from agent.registry.columns import number
from agent.registry.connect import translate_sqlite_errors
from agent.registry.reader import ReadOnlyQueries, Row, when
from agent.registry.rows.cases import whole_case
from agent.registry.terms import CASE
from agent.registry.validation import unknown, without_case
from rules.offboarding.case import OffboardingCase


class CaseQueries(ReadOnlyQueries):
    """Questions about departures."""

    def cases(self, person: str = "", *, over: bool = False) -> list[OffboardingCase]:
        """Return the cases that run, or with *over* all of them, in the order they were opened."""
        rows = self._select(
            "SELECT number FROM cases", {**when("person", person), "over = 0 OR ?": (int(over),)}, "ORDER BY number"
        )
        return [self._case(row) for row in rows]

    def restored(self) -> list[str]:
        """Return the grants that two officers gave again, as ``C000001.G000012``: the case and the grant it ended."""
        rows = self._select(
            "SELECT printf('C%06d.', departure_case) || grant_id AS id FROM case_restorations",
            {"given_by <> ''": ()},
            "ORDER BY 1",
        )
        return [str(row["id"]) for row in rows]

    def lost(self, case: str) -> list[str]:
        """Return the areas and rooms for which the approval of *case* ended a grant, by name, once each."""
        rows = self._select(
            "SELECT DISTINCT name FROM case_grants JOIN grants ON grants.number = ended_grant"
            " JOIN resources ON key = resource",
            {"departure_case = ?": (number("C", case, CASE),), "removed_at IS NULL": ()},
            "ORDER BY name",
        )
        return [str(row["name"]) for row in rows]

    def case(self, name: str) -> OffboardingCase:
        """Return the case of this number, or the newest case of this person, of those that run if any does.

        Raises :class:`agent.errors.RefusedError` when there is none.
        """
        found = self._select("SELECT number FROM cases", {"person = ?": (name,)}, "ORDER BY over, number DESC LIMIT 1")
        if not found and self._select("SELECT id FROM people", {"id = ?": (name,)}):
            raise without_case(name)
        if not found:
            found = self._select("SELECT number FROM cases", {"number = ?": (number("C", name, CASE),)})
        if not found:
            raise unknown(CASE, name, "shoumi case list")
        return self._case(found[0])

    def _case(self, row: Row) -> OffboardingCase:
        with translate_sqlite_errors(self.path):
            return whole_case(self._connection, self.path, int(str(row["number"])))
