"""Writing what happens at doors: who is inside, alarms, the states of panels, what boards hold.

Rules of this file: no verdict about a file or a badge rests on these rows (but see :meth:`HappeningWrites.enter`), so
they are written without a new epoch: a badge read must not make the decider ask about every open file again. An alarm
is never deleted; it is acknowledged, once, by somebody who says what was found.
"""

from collections.abc import Mapping
from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.doors import ReaderKeyWrites
from agent.registry.rows.boards import CardState, Wanted
from agent.registry.transaction import unknown, words
from rules.text import Text
from rules.visible import visible

ALARM = Text("alarm", "报警")
_NOTE = Text("note", "处理说明")
_NOTHING = Text("", "")


class HappeningWrites(ReaderKeyWrites):
    """Writes about what happens. All raise :class:`agent.errors.RefusedError`."""

    def enter(self, room: str, person: str, *, door: str = "", at: datetime | None = None) -> None:
        """Say that *person* is inside, since *at*; somebody who already was keeps his arrival.

        Under a pack that opens files only to people inside, this belongs in a change, which moves the epoch.
        """
        self._need_person(person)
        self._run(
            "INSERT OR IGNORE INTO presence VALUES (?, ?, ?, ?)",
            self._need_resource(room, "room"),
            person,
            instant(at or self.at),
            door,
        )

    def leave(self, room: str, person: str) -> bool:
        """Say that *person* is outside, and return whether he was inside."""
        key = self._need_resource(room, "room")
        return bool(self._run("DELETE FROM presence WHERE room = ? AND person = ?", key, person).rowcount)

    def set_presence(self, room: str, inside: Mapping[str, tuple[datetime, str]]) -> None:
        """Replace who is inside: person → since and door."""
        key = self._need_resource(room, "room")
        self._run("DELETE FROM presence WHERE room = ?", key)
        for person, (since, door) in inside.items():
            self._need_person(person)
            self._run("INSERT INTO presence VALUES (?, ?, ?, ?)", key, person, instant(since), door)

    def save_room(self, room: str, state: str) -> None:
        """Keep the state of the room's panel; what it says is the panel's own."""
        self._run("INSERT OR REPLACE INTO room_states VALUES (?, ?)", self._need_resource(room, "room"), state)

    def raise_alarm(
        self, kind: str, text: Text, *, room: str = "", door: str = "", person: str = "", seq: int | None = None
    ) -> str:
        """Keep an alarm, and return its number (``A000123``). *seq* is that of its entry."""
        added = self._add(
            "INSERT INTO alarms (kind, room, door, person, text_en, text_zh, at, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            kind,
            room,
            door,
            person,
            *text,
            self._at,
            seq,
        )
        return numbered("A", added)

    def ack_alarm(self, alarm: str, *, by: str, note: str) -> str:
        """Acknowledge an alarm, and return its kind."""
        row = number("A", alarm, ALARM)
        found = self._row("SELECT kind, acked_at, acked_by FROM alarms WHERE number = ?", row)
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
        self._run(
            "UPDATE alarms SET acked_at = ?, acked_by = ?, note = ? WHERE number = ?",
            self._at,
            by,
            words(note, _NOTE, required=True),
            row,
        )
        return str(kind)

    def want_card(self, board: str, card: str, wanted: Wanted) -> None:
        """Say what *board* should hold of *card*; it is pending until reading back confirms it."""
        self._run(
            "INSERT INTO board_cards (board, card, wanted, state, at) VALUES (?1, ?2, ?3, 'pending', ?4)"
            " ON CONFLICT (board, card) DO UPDATE SET wanted = ?3, state = 'pending', why_en = '', why_zh = '', at = ?4"
            " WHERE wanted <> ?3",
            board,
            card,
            wanted,
            self._at,
        )

    def set_board_card(self, board: str, card: str, state: CardState, why: Text = _NOTHING) -> None:
        """Say what reading back found. A card that is confirmed to be gone is forgotten."""
        self._run(
            "UPDATE board_cards SET state = ?, why_en = ?, why_zh = ?, at = ? WHERE board = ? AND card = ?",
            state,
            *why,
            self._at,
            board,
            card,
        )
        self._run(
            "DELETE FROM board_cards WHERE board = ? AND card = ? AND wanted = 'gone' AND state = 'confirmed'",
            board,
            card,
        )

    def hear(self, board: str, index: int) -> None:
        """Remember that every event of *board* up to *index* was taken in."""
        self._run("INSERT OR REPLACE INTO boards VALUES (?, ?)", board, index)
