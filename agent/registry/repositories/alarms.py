"""Writing alarms.

Rules of this file: an alarm is never deleted; it is acknowledged once, with a note of what was found. No verdict
depends on it, so it is written without a new epoch.
"""

from agent.errors import RefusedError
from agent.language.catalogue import localized
from agent.registry.columns import number, numbered
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import ALARM
from agent.registry.validation import free_text, unknown
from rules.text import Message, Sentence
from rules.visible import visible

_NOTE = Message("registry.note")


class AlarmRepository:
    """Alarms. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self, kind: str, text: Sentence, *, room: str = "", door: str = "", person: str = "", seq: int | None = None
    ) -> str:
        """Store an alarm, and return its number (``A000123``). *seq* is that of its entry."""
        added = self._transaction.insert(
            "alarms",
            kind=kind,
            room=room,
            door=door,
            person=person,
            text_en=localized(text, "en"),
            text_zh=localized(text, "zh"),
            at=self._transaction.stamp,
            seq=seq,
        )
        return numbered("A", added)

    def acknowledge(self, alarm: str, *, by: str, note: str) -> str:
        """Acknowledge an alarm, and return its kind."""
        row = number("A", alarm, ALARM)
        fields = self._transaction.row("SELECT kind, acked_at, acked_by FROM alarms WHERE number = ?", row)
        if fields is None:
            raise unknown(ALARM, alarm, "shoumi alarm list")
        kind, acked_at, acked_by = fields
        if acked_at is not None:
            whose = visible(str(acked_by))
            raise RefusedError(
                Message("registry.alarm-already-acknowledged", alarm=alarm, officer=whose, acked_at=acked_at),
                Message("registry.see-shoumi-alarm-list-all"),
            )
        self._transaction.update(
            "alarms",
            "number",
            row,
            acked_at=self._transaction.stamp,
            acked_by=by,
            note=free_text(note, _NOTE, required=True),
        )
        return str(kind)
