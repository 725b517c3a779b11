"""Writing records: dated facts about a person that rules evaluate.

Rules of this file: the pack defines the kinds of record and their validity; here a kind is a word. A wrong record is
voided with a reason, not edited, so that the file of a person never changes silently.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant, number, numbered
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import RECORD
from agent.registry.validation import free_text, identifier, unknown
from rules.text import Message

_KIND = Message("common.kind-record")


class RecordRepository:
    """Records of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        person: str,
        kind: str,
        *,
        on: datetime,
        passed: bool = True,
        valid_until: datetime | None = None,
        topic: str = "",
        note: str = "",
    ) -> str:
        """Add a record, and return its number (``R000123``). *valid_until* is the end printed on the record."""
        require_person(self._transaction, person)
        identifier(kind, _KIND)
        if valid_until is not None and valid_until <= on:
            raise RefusedError(
                Message("registry.record-end-before-start"),
                Message("registry.check-both-dates"),
            )
        added = self._transaction.insert(
            "records",
            person=person,
            kind=kind,
            dated=instant(on),
            passed=passed,
            valid_until=maybe_instant(valid_until),
            topic=free_text(topic, Message("registry.topic")),
            note=free_text(note, Message("common.note")),
            added_at=self._transaction.stamp,
        )
        return numbered("R", added)

    def void(self, record: str, *, reason: str) -> str:
        """Void a wrong record, and return its person."""
        row = number("R", record, RECORD)
        fields = self._transaction.row("SELECT person, voided_at FROM records WHERE number = ?", row)
        if fields is None:
            raise unknown(RECORD, record, "shoumi record list")
        if fields[1] is not None:
            raise RefusedError(
                Message("registry.record-already-void", record=record),
                Message("registry.see-shoumi-record-list"),
            )
        void_reason = free_text(reason, Message("registry.reason"), required=True)
        self._transaction.update("records", "number", row, voided_at=self._transaction.stamp, void_reason=void_reason)
        return str(fields[0])
