"""Writing offboarding cases.

Rules of this file: :mod:`rules.offboarding.machine` defines the steps of a case; here the whole case is stored, in the
transaction that also changes the facts of decisions. A person has one running case of each reach
(:attr:`.CaseKind.reach`). A departure row is never deleted: it is set aside, and only when the case was rescinded, when
a temporary case (a transfer, a rehire, long leave) is over, or when a case was overtaken before it ended anything.
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
from agent.registry.validation import free_text, unknown, without_case
from rules.offboarding.case import OffboardingCase
from rules.text import Message
from rules.visible import visible

_TEXT = Message("registry.text")


class CaseRepository:
    """Offboarding cases. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction, departures: DepartureRepository) -> None:
        self._transaction = transaction
        self._departures = departures

    def add(self, case: OffboardingCase) -> OffboardingCase:
        """Store a new case with its departure, and return it with its number (``C000123``).

        Refused while the person has a running case that excludes this one.
        """
        require_person(self._transaction, case.person)
        if conflicting := next(
            (open_case for open_case in self.running(case.person) if not open_case.runs_beside(case.kind)), None
        ):
            shown_person = visible(case.person)
            raise RefusedError(
                Message("registry.case-in-progress", case=conflicting.id, person=shown_person),
                Message("registry.see-shoumi-case-status", person=shown_person),
            )
        departure = number("D", self._departures.add(case.person), CASE)
        added = self._transaction.insert("cases", **main_columns(case), departure=departure, over=False)
        return self.save(replace(case, id=numbered("C", added)))

    def save(self, case: OffboardingCase) -> OffboardingCase:
        """Replace the stored *case* and its departure, and return it."""
        row, columns, rows = number("C", case.id, CASE), main_columns(case), list(child_rows(case))
        for cell in (*columns.values(), *(cell for _, cells in rows for cell in cells)):
            if isinstance(cell, str):
                free_text(cell, _TEXT)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._transaction.execute(f"UPDATE cases SET {assignments} WHERE number = ?", *columns.values(), row)  # noqa: S608 - names of our own
        self._transaction.execute("UPDATE cases SET over = (closed_at IS NOT NULL OR rescinded) WHERE number = ?", row)
        for table in CHILDREN:
            self._transaction.execute(f"DELETE FROM {table} WHERE departure_case = ?", row)  # noqa: S608 - names of our own
        for table, cells in rows:
            marks = ", ".join("?" * (len(cells) + 1))
            self._transaction.execute(f"INSERT INTO {table} VALUES ({marks})", row, *cells)  # noqa: S608 - names of our own
        self._save_departure(case, row)
        return case

    def running(self, person: str) -> list[OffboardingCase]:
        """Return the running cases of *person*: at most one of each reach."""
        rows = self._transaction.execute(
            "SELECT number FROM cases WHERE person = ? AND over = 0 ORDER BY number", person
        ).fetchall()
        return [self._read(row) for (row,) in rows]

    def get(self, name: str) -> OffboardingCase:
        """Return the case of this number, or the newest case of this person, running cases first."""
        number_row = self._transaction.row(
            "SELECT number FROM cases WHERE person = ? ORDER BY over, number DESC LIMIT 1", name
        )
        if number_row:
            return self._read(number_row[0])
        if self._transaction.row("SELECT 1 FROM people WHERE id = ?", name) is not None:
            raise without_case(name)
        row = number("C", name, CASE)
        if self._transaction.row("SELECT 1 FROM cases WHERE number = ?", row) is None:
            raise unknown(CASE, name, "shoumi case list")
        return self._read(row)

    def _read(self, row: int) -> OffboardingCase:
        return self._transaction.read(whole_case, self._transaction.path, row)

    def _save_departure(self, case: OffboardingCase, row: int) -> None:
        departure_row = self._transaction.row("SELECT departure FROM cases WHERE number = ?", row)
        if departure_row is None:
            raise damaged(self._transaction.path, Message("registry.case-missing", case=numbered("C", row)))
        departure = numbered("D", departure_row[0])
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
