"""Queries of people, and the dossier of one person.

Rules of this file: an empty filter restricts nothing; *text* is any part of an id or name; the others compare exactly.
"""

from agent.registry.queries.accounts import AccountQueries
from agent.registry.queries.badges import BadgeQueries
from agent.registry.queries.connection import QueryConnection, Row, when
from agent.registry.queries.departures import DepartureQueries
from agent.registry.queries.grants import GrantQueries
from agent.registry.queries.holds import HoldQueries
from agent.registry.queries.presence import PresenceQueries
from agent.registry.queries.records import RecordQueries
from agent.registry.queries.visits import VisitQueries
from agent.registry.terms import PERSON
from agent.registry.validation import unknown
from rules.model import Level

_PEOPLE = (
    'SELECT id, name, department, post, employment, active AS "active [bool]", heads, added_at,'
    " post_changed_at FROM people"
)
_CLEARED = "id IN (SELECT person FROM clearances WHERE level >= ? AND (? = '' OR domain = ?))"


class PersonQueries:
    """Queries of people."""

    def __init__(
        self,
        connection: QueryConnection,
        accounts: AccountQueries,
        badges: BadgeQueries,
        grants: GrantQueries,
        holds: HoldQueries,
        records: RecordQueries,
        departures: DepartureQueries,
        visits: VisitQueries,
        presence: PresenceQueries,
    ) -> None:
        self._connection = connection
        self._accounts = accounts
        self._badges = badges
        self._grants = grants
        self._holds = holds
        self._records = records
        self._departures = departures
        self._visits = visits
        self._presence = presence

    def find(
        self,
        *,
        text: str = "",
        department: str = "",
        active: bool | None = None,
        domain: str = "",
        at_least: Level = Level.NONE,
        limit: int | None = None,
    ) -> list[Row]:
        """Return people ordered by id. *at_least* requires that level in *domain*, or in any domain."""
        asks_level = bool(domain) or at_least > Level.NONE
        return self._connection.select(
            _PEOPLE,
            {
                "instr(id, ?) OR instr(name, ?)": (text, text) if text else (),
                **when("department", department),
                "active = ?": () if active is None else (active,),
                _CLEARED: (int(at_least), domain, domain) if asks_level else (),
            },
            f"ORDER BY id LIMIT {-1 if limit is None else int(limit)}",
        )

    def heads(self, department: str) -> list[str]:
        """Return the heads of *department*."""
        return [str(row["id"]) for row in self._connection.select(_PEOPLE, when("heads", department), "ORDER BY id")]

    def dossier(self, person: str) -> Row:
        """Return everything on file about one person, at one instant; raise ``RefusedError`` when unknown."""
        whose = when("person", person)
        with self._connection.snapshot():
            people = self._connection.select(_PEOPLE, {"id = ?": (person,)})
            if not people:
                raise unknown(PERSON, person, "shoumi person list")
            projects = self._connection.select("SELECT project FROM projects", whose, "ORDER BY project")
            return people[0] | {
                "projects": [row["project"] for row in projects],
                "clearances": self._connection.select(
                    'SELECT domain, level AS "level [level]", label, approved_by, set_at, paper_by, paper, paper_on'
                    " FROM clearances",
                    whose,
                    "ORDER BY domain",
                ),
                "accounts": self._accounts.find(person),
                "badges": [row["number"] for row in self._badges.find(person) if row["state"] == "active"],
                "grants": self._grants.of_person(person),
                "holds": self._holds.find(person, lifted=True),
                "records": self._records.find(person, void=True),
                "departures": self._departures.find(person),
                "visits": self._visits.find(person),
                "inside": self._presence.find(person=person),
            }
