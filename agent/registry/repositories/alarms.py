"""Writing alarms.

Rules of this file: an alarm is never deleted; it is acknowledged, once, by somebody who says what was found. No verdict
rests on it, so it is written without a new epoch.
"""

from agent.errors import RefusedError
from agent.registry.columns import number, numbered
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import ALARM
from agent.registry.validation import unknown, words
from rules.text import Text
from rules.visible import visible

_NOTE = Text("note", "处理说明")


class AlarmRepository:
    """Alarms. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self, kind: str, text: Text, *, room: str = "", door: str = "", person: str = "", seq: int | None = None
    ) -> str:
        """Keep an alarm, and return its number (``A000123``). *seq* is that of its entry."""
        added = self._transaction.insert(
            "alarms",
            kind=kind,
            room=room,
            door=door,
            person=person,
            text_en=text.en,
            text_zh=text.zh,
            at=self._transaction.stamp,
            seq=seq,
        )
        return numbered("A", added)

    def acknowledge(self, alarm: str, *, by: str, note: str) -> str:
        """Acknowledge an alarm, and return its kind."""
        row = number("A", alarm, ALARM)
        found = self._transaction.row("SELECT kind, acked_at, acked_by FROM alarms WHERE number = ?", row)
        if found is None:
            raise unknown(ALARM, alarm, "shoumi alarm list")
        kind, acked_at, acked_by = found
        if acked_at is not None:
            whose = visible(str(acked_by))
            raise RefusedError(
                Text(
                    f"`{visible(alarm)}` was acknowledged by `{whose}` at {acked_at}",
                    f"`{visible(alarm)}` 已由 `{whose}` 于 {acked_at} 确认",
                ),
                Text("see `shoumi alarm list --all`", "参见 `shoumi alarm list --all`"),
            )
        self._transaction.update(
            "alarms",
            "number",
            row,
            acked_at=self._transaction.stamp,
            acked_by=by,
            note=words(note, _NOTE, required=True),
        )
        return str(kind)
