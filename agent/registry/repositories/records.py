"""Writing records: dated facts about a person that rules weigh.

Rules of this file: which kinds of record exist and how long they last is the pack's; here a kind is a word. A wrong
record is voided with a reason, not edited, so that the file of a person never silently changes.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant, number, numbered
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import RECORD
from agent.registry.validation import identifier, unknown, words
from rules.text import Text
from rules.visible import visible

_KIND = Text("kind of record", "档案种类")


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
        """File a record, and return its number (``R000123``). *valid_until* is the end printed on the record."""
        require_person(self._transaction, person)
        identifier(kind, _KIND)
        if valid_until is not None and valid_until <= on:
            raise RefusedError(
                Text("the record would end before it begins", "档案的失效时间早于其日期"),
                Text("check the two dates", "请核对两个日期"),
            )
        added = self._transaction.insert(
            "records",
            person=person,
            kind=kind,
            dated=instant(on),
            passed=passed,
            valid_until=maybe_instant(valid_until),
            topic=words(topic, Text("topic", "主题")),
            note=words(note, Text("note", "备注")),
            added_at=self._transaction.stamp,
        )
        return numbered("R", added)

    def void(self, record: str, *, reason: str) -> str:
        """Take a wrong record out of force, and return its person."""
        row = number("R", record, RECORD)
        found = self._transaction.row("SELECT person, voided_at FROM records WHERE number = ?", row)
        if found is None:
            raise unknown(RECORD, record, "shoumi record list")
        if found[1] is not None:
            raise RefusedError(
                Text(f"record `{visible(record)}` is void already", f"档案 `{visible(record)}` 已作废"),
                Text("see `shoumi record list`", "参见 `shoumi record list`"),
            )
        why = words(reason, Text("reason", "事由"), required=True)
        self._transaction.update("records", "number", row, voided_at=self._transaction.stamp, void_reason=why)
        return str(found[0])
