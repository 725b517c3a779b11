"""Writing declarations: the purpose and devices that people state before they enter.

Rules of this file: a declaration always has an end. It states a purpose, the devices carried, or both; it grants no
access.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.window import check_window
from agent.registry.terms import DECLARATION, OFFICER, PURPOSE
from agent.registry.validation import free_text, unknown
from rules.text import Message

_DEVICES = Message("registry.device-list")


class DeclarationRepository:
    """Declarations of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        person: str,
        room: str,
        *,
        until: datetime,
        since: datetime | None = None,
        purpose: str = "",
        devices: str | None = None,
        by: str = "",
    ) -> str:
        """Store the declaration of *person* for *room*, and return its number (``S000123``).

        *devices* ``None``: nothing is stated about devices; ``""``: the statement that none are carried.
        """
        begins = since or self._transaction.at
        check_window(max(begins, self._transaction.at), begins, until, DECLARATION)
        require_person(self._transaction, person)
        if devices is None and not purpose.strip():
            raise RefusedError(
                Message("registry.declaration-empty"),
                Message("registry.give-purpose-or-devices"),
            )
        added = self._transaction.insert(
            "declarations",
            person=person,
            room=require_room(self._transaction, room),
            purpose=free_text(purpose, PURPOSE),
            devices=free_text(devices or "", _DEVICES),
            declares=devices is not None,
            since=instant(begins),
            until=instant(until),
            taken_by=free_text(by, OFFICER),
        )
        return numbered("S", added)

    def end(self, declaration: str) -> str:
        """End a declaration, and return its person."""
        row = number("S", declaration, DECLARATION)
        person_row = self._transaction.row("SELECT person FROM declarations WHERE number = ? AND ended_at IS NULL", row)
        if person_row is None:
            raise unknown(DECLARATION, declaration, "shoumi declaration list")
        self._transaction.update("declarations", "number", row, ended_at=self._transaction.stamp)
        return str(person_row[0])
