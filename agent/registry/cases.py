"""Writing departure cases, and what an approved one takes from a person.

Rules of this file: how a case moves is :mod:`rules.offboarding.machine`'s; here it is stored wholly, in the transaction
that also changes what a decision sees. One case of a person runs at a time. A departure row is never deleted: it is set
aside, and only when the case was rescinded or a transfer is over.
"""

from dataclasses import replace
from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import maybe_moment, moment, number, numbered
from agent.registry.connect import damaged, translate_sqlite_errors
from agent.registry.grants import GrantWrites
from agent.registry.holds import HoldWrites
from agent.registry.people import PeopleWrites
from agent.registry.rows.cases import CHILDREN, MAIN, child_rows, main_row, whole_case
from agent.registry.transaction import unknown, words
from rules.offboarding.case import OffboardingCase
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text
from rules.visible import visible

CASE = Text("case", "离岗办理")
_GRANT = Text("grant", "授权")


def without_case(person: str) -> RefusedError:
    """Return the refusal for a registered person who is not leaving and never was."""
    said = visible(person)
    return RefusedError(
        Text(f"`{said}` has no departure case", f"`{said}` 没有离岗办理"),
        Text(f"see `shoumi case open {said} --last-day DATE`", f"参见 `shoumi case open {said} --last-day 日期`"),
    )


class CaseWrites(PeopleWrites, GrantWrites, HoldWrites):
    """Writes about cases. All raise :class:`agent.errors.RefusedError`."""

    def add_case(self, case: OffboardingCase) -> OffboardingCase:
        """Store a new case with its departure, and return it with its number (``C000123``).

        Refused while another one of the person runs, but for a transfer that this one will overtake.
        """
        self._need_person(case.person)
        leaves = case.kind is not CaseKind.TRANSFER
        if running := next((one for one in self.running_cases(case.person) if not (leaves and one.gives_way)), None):
            said = visible(case.person)
            raise RefusedError(
                Text(f"case {running.id} of `{said}` is running", f"`{said}` 的离岗办理 {running.id} 正在进行"),
                Text(f"see `shoumi case status {said}`", f"参见 `shoumi case status {said}`"),
            )
        departure = number("D", self.add_departure(case.person), CASE)
        values = main_row(case)
        marks = ", ".join("?" * (len(values) + 2))
        added = self._add(f"INSERT INTO cases ({MAIN}, departure, over) VALUES ({marks})", *values, departure, 0)  # noqa: S608
        return self.put_case(replace(case, id=numbered("C", added)))

    def put_case(self, case: OffboardingCase) -> OffboardingCase:
        """Store *case* over what it was, with its departure, and return it."""
        row, values, rows = number("C", case.id, CASE), main_row(case), list(child_rows(case))
        for value in (*values, *(value for _, given in rows for value in given)):
            if isinstance(value, str):
                words(value, Text("text", "文字"))
        columns = ", ".join(f"{name} = ?" for name in MAIN.split(", "))
        self._run(f"UPDATE cases SET {columns} WHERE number = ?", *values, row)  # noqa: S608 - names of our own
        self._run("UPDATE cases SET over = (closed_at IS NOT NULL OR rescinded) WHERE number = ?", row)
        for table in CHILDREN:
            self._run(f"DELETE FROM {table} WHERE departure_case = ?", row)  # noqa: S608
        for table, given in rows:
            marks = ", ".join("?" * (len(given) + 1))
            self._run(f"INSERT INTO {table} VALUES ({marks})", row, *given)  # noqa: S608
        self._departure(case, row)
        return case

    def running_cases(self, person: str) -> list[OffboardingCase]:
        """Return the cases of *person* that are not over: one at the most, and a transfer that it will overtake."""
        rows = self._run("SELECT number FROM cases WHERE person = ? AND over = 0 ORDER BY number", person).fetchall()
        return [self._read(row) for (row,) in rows]

    def case(self, name: str) -> OffboardingCase:
        """Return the case of this number, or the newest case of this person, of those that run if any does."""
        found = self._row("SELECT number FROM cases WHERE person = ? ORDER BY over, number DESC LIMIT 1", name)
        if found:
            return self._read(found[0])
        if self._row("SELECT 1 FROM people WHERE id = ?", name) is not None:
            raise without_case(name)
        row = number("C", name, CASE)
        if self._row("SELECT 1 FROM cases WHERE number = ?", row) is None:
            raise unknown(CASE, name, "shoumi case list")
        return self._read(row)

    def _read(self, row: int) -> OffboardingCase:
        with translate_sqlite_errors(self.path):
            return whole_case(self.path, self._connection, row)

    def end_grants_of(self, case: OffboardingCase, *, by: str) -> list[str]:
        """End every grant of the leaver that runs or is to come, and return their numbers."""
        row = number("C", case.id, CASE)
        self._run(
            "INSERT INTO case_grants SELECT ?, number, since, until FROM grants"
            " WHERE person = ? AND (until IS NULL OR until > ?)",
            row,
            case.person,
            self._at,
        )
        ended = self._run("SELECT ended_grant FROM case_grants WHERE departure_case = ? ORDER BY 1", row).fetchall()
        for (grant,) in ended:
            self.end_grant(numbered("G", grant), by=by, reason=case.id)
        return [numbered("G", grant) for (grant,) in ended]

    def ended_grant(self, case: OffboardingCase, grant: str) -> tuple[str, datetime, datetime | None]:
        """Return the resource, start and end of a lasting grant that *case* ended; raise when it cannot be given."""
        found = self._row(
            "SELECT name, case_grants.since, case_grants.until FROM case_grants"
            " JOIN grants ON ended_grant = grants.number JOIN resources ON key = resource"
            " WHERE departure_case = ? AND ended_grant = ? AND temporary = 0 AND removed_at IS NULL",
            number("C", case.id, CASE),
            number("G", grant, _GRANT),
        )
        if found is None:
            said = visible(grant)
            raise RefusedError(
                Text(f"grant `{said}` is none that this case can give again", f"授权 `{said}` 不能由本案恢复"),
                Text(
                    "only a lasting one that the case ended, of an area that is there; else: shoumi grant add",
                    "仅限本案终止、目录仍在的长期授权；其他请用 shoumi grant add",
                ),
            )
        return str(found[0]), moment(found[1]), maybe_moment(found[2])

    def give_again(self, case: OffboardingCase, grant: str, *, reason: str, approver: str) -> str:
        """Give a grant that *case* ended once more, with the end it had, and return the new one's number."""
        resource, since, until = self.ended_grant(case, grant)
        begins = max(since, self.at)
        return self.add_grant(case.person, resource, reason=reason, approver=approver, since=begins, until=until)

    def move_person(self, case: OffboardingCase) -> list[str]:
        """Put a transferred person in the new post, out of projects and named circles; return the circles left."""
        self.set_person(case.person, projects=())
        self.change_post(case.person, department=case.department or None, post=case.post or None)
        left = self._run(
            "SELECT name FROM scope JOIN resources ON key = resource WHERE scope.kind = 'person' AND member = ?"
            " ORDER BY name",
            case.person,
        ).fetchall()
        self._run("DELETE FROM scope WHERE kind = 'person' AND member = ?", case.person)
        return [name for (name,) in left]

    def _departure(self, case: OffboardingCase, row: int) -> None:
        found = self._row("SELECT departure FROM cases WHERE number = ?", row)
        if found is None:
            raise damaged(self.path, f"case {row} is missing")
        departure = numbered("D", found[0])
        self.set_departure(
            departure,
            stage=case.stage,
            approved_at=case.approved_at,
            cooling_off_until=case.period.until if case.period else None,
            approver=case.approvals[-1].by if case.approvals else case.opened_by,
        )
        if case.rescinded or (case.closed and case.kind is CaseKind.TRANSFER):
            self._run(
                "UPDATE departures SET set_aside_at = coalesce(set_aside_at, ?) WHERE number = ?", self._at, found[0]
            )
