"""Lists and dossiers for the command line: everything on file, also what is over.

Rules of this file: an empty filter asks nothing; *text* is any part of an id or name; all others compare exactly. No
question here is asked on the open path.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from agent.registry.case_queries import CaseQueries
from agent.registry.columns import instant, moment, number
from agent.registry.reader import Row, when
from agent.registry.room_queries import RoomQueries
from agent.registry.terms import GRANT, HOLD, PERSON
from agent.registry.validation import unknown
from rules.model import Level

State = Literal["running", "coming", "over", "all"]

_NEVER = datetime.max.replace(tzinfo=UTC)
_GRANTS = (
    "SELECT printf('G%06d', number) AS id, person, name AS resource, reason, approver, since, until, temporary,"
    " grants.added_at, ended_at, ended_by, end_reason FROM grants JOIN resources ON key = resource"
)
_HOLDS = (
    "SELECT printf('H%06d', number) AS id, person, since, reason, placed_by, two_officers, lift_asked_by,"
    " lift_asked_at, lifted_at, lifted_by, lift_reason FROM holds"
)
_STATES = {
    "running": "since <= ? AND (until IS NULL OR until > ?)",
    "coming": "since > ? AND (until IS NULL OR until > ?)",
    "over": "until <= ? AND until <= ?",
    "all": "",
}


class RegistryQueries(RoomQueries, CaseQueries):
    """Questions about people, and all others."""

    def people(
        self,
        *,
        text: str = "",
        department: str = "",
        active: bool | None = None,
        domain: str = "",
        at_least: Level = Level.NONE,
        limit: int | None = None,
    ) -> list[Row]:
        """Return people ordered by id. *at_least* asks for that level in *domain*, or in any."""
        cleared = "id IN (SELECT person FROM clearances WHERE level >= ? AND (? = '' OR domain = ?))"
        asks_level = bool(domain) or at_least > Level.NONE
        return self._select(
            "SELECT id, name, department, post, employment, active, added_at, post_changed_at FROM people",
            {
                "instr(id, ?) OR instr(name, ?)": (text, text) if text else (),
                **when("department", department),
                "active = ?": () if active is None else (int(active),),
                cleared: (int(at_least), domain, domain) if asks_level else (),
            },
            f"ORDER BY id LIMIT {-1 if limit is None else int(limit)}",
        )

    def dossier(self, person: str) -> Row:
        """Return everything on file about one person, from one instant; raise ``RefusedError`` for an unknown one."""
        whose = when("person", person)
        with self._together():
            found = self._select(
                "SELECT id, name, department, post, employment, active, added_at, post_changed_at FROM people",
                {"id = ?": (person,)},
            )
            if not found:
                raise unknown(PERSON, person, "shoumi person list")
            projects = self._select("SELECT project FROM projects", whose, "ORDER BY project")
            return found[0] | {
                "projects": [row["project"] for row in projects],
                "clearances": self._select(
                    "SELECT domain, level, label, approved_by, set_at FROM clearances", whose, "ORDER BY domain"
                ),
                "accounts": self.accounts(person),
                "badges": [row["number"] for row in self.badges(person) if row["state"] == "active"],
                "grants": self._select(_GRANTS, whose, "ORDER BY number"),
                "holds": self.holds(person, lifted=True),
                "records": self.records(person, void=True),
                "departures": self.departures(person),
                "visits": self.visits(person),
                "inside": self.presence(person=person),
            }

    def accounts(self, person: str = "") -> list[Row]:
        """Return uid, person and account name, ordered by uid."""
        return self._select("SELECT uid, person, name FROM accounts", when("person", person), "ORDER BY uid")

    def grants(self, now: datetime, *, person: str = "", resource: str = "", state: State = "running") -> list[Row]:
        """Return grants in the order they were given; those of removed areas are among ``over`` and ``all``."""
        asked = _STATES[state]
        conditions = {**when("person", person), **when("name", resource)}
        if asked:
            conditions[asked] = (instant(now), instant(now))
        return self._select(_GRANTS, conditions, "ORDER BY number")

    def holds(self, person: str = "", *, lifted: bool = False) -> list[Row]:
        """Return the holds in force, or with *lifted* all of them."""
        return self._select(
            _HOLDS,
            {**when("person", person), "lifted_at IS NULL OR ?": (int(lifted),)},
            "ORDER BY number",
        )

    def hold(self, name: str) -> Row:
        """Return the hold of this number, lifted or not; raise ``RefusedError`` when there is none."""
        found = self._select(_HOLDS, {"number = ?": (number("H", name, HOLD),)})
        if not found:
            raise unknown(HOLD, name, "shoumi hold list")
        return found[0]

    def grant(self, name: str) -> Row:
        """Return the grant of this number, over or not; raise ``RefusedError`` when there is none."""
        found = self._select(_GRANTS, {"number = ?": (number("G", name, GRANT),)})
        if not found:
            raise unknown(GRANT, name, "shoumi grant list")
        return found[0]

    def lapsed(self, after: datetime, now: datetime) -> list[Row]:
        """Return the grants that ended by themselves between *after* and *now*, in the order they ended."""
        conditions = {"until > ?": (instant(after),), "until <= ?": (instant(now),), "ended_at IS NULL": ()}
        return self._select(_GRANTS, conditions, "ORDER BY until, number")

    def records(self, person: str = "", *, kind: str = "", void: bool = False) -> list[Row]:
        """Return the records that count, or with *void* all of them."""
        return self._select(
            "SELECT printf('R%06d', number) AS id, person, kind, dated AS \"on\", passed, valid_until, topic, note,"
            " added_at, voided_at, void_reason FROM records",
            {**when("person", person), **when("kind", kind), "voided_at IS NULL OR ?": (int(void),)},
            "ORDER BY number",
        )

    def records_due(self, now: datetime, days: int, *, valid_days: Mapping[str, int] | None = None) -> list[Row]:
        """Return, soonest first, what active people must renew within *days*; what has lapsed comes with it.

        Of each person, kind and topic only the passed record that lasts longest counts. It ends at its own
        ``valid_until`` or *valid_days* of its kind after its date, whichever is earlier; the row says so as ``ends``.
        """
        last: dict[tuple[object, ...], tuple[datetime, str, Row]] = {}
        for row in self._select(
            "SELECT printf('R%06d', number) AS id, person, kind, dated AS \"on\", valid_until, topic FROM records",
            {"passed = 1": (), "voided_at IS NULL": (), "person IN (SELECT id FROM people WHERE active = 1)": ()},
        ):
            ends = _ends(row, valid_days or {})
            whose = (row["person"], row["kind"], row["topic"])
            if whose not in last or ends > last[whose][0]:
                last[whose] = ends, str(row["id"]), row
        due = sorted((found for found in last.values() if found[0] <= now + timedelta(days=days)), key=lambda f: f[:2])
        return [row | {"ends": instant(ends)} for ends, _, row in due]

    def departures(self, person: str = "") -> list[Row]:
        """Return every departure in the order they were opened."""
        return self._select(
            "SELECT printf('D%06d', number) AS id, person, stage, approved_at, cooling_off_until, approver, opened_at,"
            " set_aside_at FROM departures",
            when("person", person),
            "ORDER BY number",
        )


def _ends(row: Row, valid_days: Mapping[str, int]) -> datetime:
    printed = row["valid_until"]
    ends = _NEVER if printed is None else moment(str(printed))
    days = valid_days.get(str(row["kind"]))
    return ends if days is None else min(ends, moment(str(row["on"])) + timedelta(days=days))
