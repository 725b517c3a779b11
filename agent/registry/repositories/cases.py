"""Writing departure cases.

Rules of this file: how a case moves is :mod:`rules.offboarding.machine`'s; here it is stored wholly, in the transaction
that also changes what a decision sees. Of one reach (:attr:`.CaseKind.reach`) one case of a person runs at a time. A
departure row is never deleted: it is set aside, and only when the case was rescinded, when what passes (a transfer, a
rehire, long leave) is over, or when a case was overtaken before it ended anything.
"""

from dataclasses import replace

from agent.errors import RefusedError
from agent.registry.columns import number, numbered
from agent.registry.connect import damaged
from agent.registry.repositories.departures import DepartureRepository
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.cases import CHILDREN, child_rows, main_columns, whole_case
from agent.registry.terms import CASE
from agent.registry.validation import unknown, without_case, words
from rules.offboarding.case import OffboardingCase
from rules.text import Text
from rules.visible import visible

_TEXT = Text("text", "文字")


class CaseRepository:
    """Departure cases. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, departures: DepartureRepository) -> None:
        self._transaction = transaction
        self._departures = departures

    def add(self, case: OffboardingCase) -> OffboardingCase:
        """Store a new case with its departure, and return it with its number (``C000123``).

        Refused while another one of the person runs beside which this one may not.
        """
        require_person(self._transaction, case.person)
        if running := next((one for one in self.running(case.person) if not one.runs_beside(case.kind)), None):
            shown = visible(case.person)
            raise RefusedError(
                Text(f"case {running.id} of `{shown}` is running", f"`{shown}` 的离岗办理 {running.id} 正在进行"),
                Text(f"see `shoumi case status {shown}`", f"参见 `shoumi case status {shown}`"),
            )
        departure = number("D", self._departures.add(case.person), CASE)
        added = self._transaction.insert("cases", **main_columns(case), departure=departure, over=False)
        return self.save(replace(case, id=numbered("C", added)))

    def save(self, case: OffboardingCase) -> OffboardingCase:
        """Store *case* over what it was, with its departure, and return it."""
        row, columns, rows = number("C", case.id, CASE), main_columns(case), list(child_rows(case))
        for value in (*columns.values(), *(value for _, given in rows for value in given)):
            if isinstance(value, str):
                words(value, _TEXT)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._transaction.execute(f"UPDATE cases SET {assignments} WHERE number = ?", *columns.values(), row)  # noqa: S608 - names of our own
        self._transaction.execute("UPDATE cases SET over = (closed_at IS NOT NULL OR rescinded) WHERE number = ?", row)
        for table in CHILDREN:
            self._transaction.execute(f"DELETE FROM {table} WHERE departure_case = ?", row)  # noqa: S608 - names of our own
        for table, given in rows:
            marks = ", ".join("?" * (len(given) + 1))
            self._transaction.execute(f"INSERT INTO {table} VALUES ({marks})", row, *given)  # noqa: S608 - names of our own
        self._save_departure(case, row)
        return case

    def running(self, person: str) -> list[OffboardingCase]:
        """Return the cases of *person* that are not over: one of a reach at the most."""
        rows = self._transaction.execute(
            "SELECT number FROM cases WHERE person = ? AND over = 0 ORDER BY number", person
        ).fetchall()
        return [self._read(row) for (row,) in rows]

    def get(self, name: str) -> OffboardingCase:
        """Return the case of this number, or the newest case of this person, of those that run if any does."""
        found = self._transaction.row(
            "SELECT number FROM cases WHERE person = ? ORDER BY over, number DESC LIMIT 1", name
        )
        if found:
            return self._read(found[0])
        if self._transaction.row("SELECT 1 FROM people WHERE id = ?", name) is not None:
            raise without_case(name)
        row = number("C", name, CASE)
        if self._transaction.row("SELECT 1 FROM cases WHERE number = ?", row) is None:
            raise unknown(CASE, name, "shoumi case list")
        return self._read(row)

    def _read(self, row: int) -> OffboardingCase:
        return self._transaction.read(whole_case, self._transaction.path, row)

    def _save_departure(self, case: OffboardingCase, row: int) -> None:
        found = self._transaction.row("SELECT departure FROM cases WHERE number = ?", row)
        if found is None:
            raise damaged(self._transaction.path, f"case {row} is missing")
        departure = numbered("D", found[0])
        self._departures.set(
            departure,
            stage=case.stage,
            approved_at=case.approved_at,
            cooling_off_until=case.period.until if case.period else None,
            approver=case.approvals[-1].by if case.approvals else case.opened_by,
            effective_at=case.effective_at,
        )
        if case.rescinded or (case.closed and (case.kind.passes or case.ended_at is None)):
            self._departures.set_aside(departure)
