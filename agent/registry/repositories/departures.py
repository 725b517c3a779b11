"""Writing departures: the facts that a decision uses about a person who leaves or has left.

Rules of this file: a departure is data here: offboarding defines the stages and who may take them. A row is never
deleted: it is set aside.
"""

from datetime import datetime

from agent.registry.columns import KEEP, Keep, maybe_instant, number, numbered
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import DEPARTURE, OFFICER
from agent.registry.validation import free_text, unknown
from rules.model import DepartureStage


class DepartureRepository:
    """Departures of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        person: str,
        *,
        stage: DepartureStage = DepartureStage.NOTICE,
        approved_at: datetime | None = None,
        cooling_off_until: datetime | None = None,
        approver: str = "",
    ) -> str:
        """Open a departure, and return the number (``D000123``)."""
        require_person(self._transaction, person)
        added = self._transaction.insert(
            "departures",
            person=person,
            stage=stage.value,
            approved_at=maybe_instant(approved_at),
            cooling_off_until=maybe_instant(cooling_off_until),
            approver=free_text(approver, OFFICER),
            opened_at=self._transaction.stamp,
        )
        return numbered("D", added)

    def set(
        self,
        departure: str,
        *,
        stage: DepartureStage | None = None,
        approved_at: datetime | Keep | None = KEEP,
        cooling_off_until: datetime | Keep | None = KEEP,
        approver: str | None = None,
        effective_at: datetime | Keep | None = KEEP,
    ) -> str:
        """Change the given fields, and return the person."""
        row = number("D", departure, DEPARTURE)
        person_row = self._transaction.row("SELECT person FROM departures WHERE number = ?", row)
        if person_row is None:
            raise unknown(DEPARTURE, departure, "shoumi case list")
        self._transaction.update(
            "departures",
            "number",
            row,
            stage=None if stage is None else stage.value,
            approver=None if approver is None else free_text(approver, OFFICER),
        )
        if approved_at is not KEEP:
            self._transaction.execute(
                "UPDATE departures SET approved_at = ? WHERE number = ?", maybe_instant(approved_at), row
            )
        if effective_at is not KEEP:
            self._transaction.execute(
                "UPDATE departures SET effective_at = ? WHERE number = ?", maybe_instant(effective_at), row
            )
        if cooling_off_until is not KEEP:
            end = maybe_instant(cooling_off_until)
            self._transaction.execute("UPDATE departures SET cooling_off_until = ? WHERE number = ?", end, row)
        return str(person_row[0])

    def set_aside(self, departure: str) -> None:
        """Remove the departure from decisions; the first call sets the time."""
        self._transaction.execute(
            "UPDATE departures SET set_aside_at = coalesce(set_aside_at, ?) WHERE number = ?",
            self._transaction.stamp,
            number("D", departure, DEPARTURE),
        )
