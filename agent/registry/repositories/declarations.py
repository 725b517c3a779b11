"""Writing declarations: what people state before they enter.

Rules of this file: a declaration always ends by itself. It says why, or which devices are carried, or both; it opens
nothing by itself.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person, require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.window import check_window
from agent.registry.terms import DECLARATION, OFFICER, PURPOSE
from agent.registry.validation import unknown, words
from rules.text import Text

_DEVICES = Text("list of devices", "携带物品清单")


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
        """Keep what *person* states for *room*, and return its number (``S000123``).

        *devices* ``None``: nothing is said about devices; ``""``: none are carried, which is a declaration too.
        """
        begins = since or self._transaction.at
        check_window(max(begins, self._transaction.at), begins, until, DECLARATION)
        require_person(self._transaction, person)
        if devices is None and not purpose.strip():
            raise RefusedError(
                Text("nothing is stated", "未申报任何内容"),
                Text("give --purpose, --devices or --no-devices", "请给出 --purpose、--devices 或 --no-devices"),
            )
        added = self._transaction.insert(
            "declarations",
            person=person,
            room=require_room(self._transaction, room),
            purpose=words(purpose, PURPOSE),
            devices=words(devices or "", _DEVICES),
            declares=devices is not None,
            since=instant(begins),
            until=instant(until),
            taken_by=words(by, OFFICER),
        )
        return numbered("S", added)

    def end(self, declaration: str) -> str:
        """Let a declaration hold no longer, and return its person."""
        row = number("S", declaration, DECLARATION)
        found = self._transaction.row("SELECT person FROM declarations WHERE number = ? AND ended_at IS NULL", row)
        if found is None:
            raise unknown(DECLARATION, declaration, "shoumi declaration list")
        self._transaction.update("declarations", "number", row, ended_at=self._transaction.stamp)
        return str(found[0])
