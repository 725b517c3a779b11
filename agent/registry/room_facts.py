"""What the doors may know: the part of the facts that stands between a badge and a verdict.

Rules of this file: as :mod:`agent.registry.facts`: standard library only, no cache, one consistent snapshot. What is
asked while somebody waits at a door is one indexed question; what changes only with an officer's act is asked in whole.
"""

import sqlite3
from contextlib import AbstractContextManager
from datetime import datetime

from agent.registry import person_rows, pins, room_rows
from agent.registry.columns import instant
from agent.registry.room_rows import AlarmRow, BadgeRow, CardRow, DoorRow, PresenceRow, RoomRow, StatementRow
from rules.model import Lockdown, Visit


class RoomFacts:
    """Questions about rooms, asked by :class:`agent.registry.facts.FactsReader`, whose errors they raise."""

    _connection: sqlite3.Connection

    def _reading(self) -> AbstractContextManager[int]:
        raise NotImplementedError

    def badge(self, number: str) -> BadgeRow | None:
        """Return the badge of this number, a lost or returned one too."""
        with self._reading():
            return room_rows.badge(self._connection, number)

    def person_of_badge(self, number: str, now: datetime) -> str | None:
        """Return whose badge this is, if it is good at *now*."""
        found = self.badge(number)
        return found.person if found and found.good(now) else None

    def check_pin(self, person: str, digits: str) -> pins.PinCheck:
        """Return what *digits* are to *person*. Takes some 50 ms, on purpose."""
        with self._reading():
            return pins.check(self._connection, person, digits)

    def stated(self, person: str, room: str, now: datetime) -> StatementRow:
        """Return why *person* comes to *room*, and whether his devices are declared, as stated beforehand."""
        with self._reading():
            return room_rows.stated(self._connection, person, room, now)

    def visits(self, person: str) -> tuple[Visit, ...]:
        """Return the visits of *person* that nobody has ended."""
        with self._reading():
            return room_rows.visits(self._connection, person)

    def room(self, name: str) -> RoomRow | None:
        """Return the room of this name."""
        with self._reading():
            return room_rows.room(self._connection, name)

    def rooms(self) -> tuple[RoomRow, ...]:
        """Return every room, ordered by name."""
        with self._reading():
            return room_rows.rooms(self._connection)

    def doors(self) -> tuple[DoorRow, ...]:
        """Return every door, ordered by name."""
        with self._reading():
            return room_rows.doors(self._connection)

    def lockdowns(self) -> tuple[Lockdown, ...]:
        """Return the lockdowns in force."""
        with self._reading():
            return room_rows.lockdowns(self._connection)

    def badges(self) -> tuple[BadgeRow, ...]:
        """Return every badge somebody has, ordered by number; what boards hold."""
        with self._reading():
            return room_rows.badges(self._connection)

    def stopped(self, now: datetime) -> frozenset[str]:
        """Return who is inactive, on hold or leaving at *now*: whose cards no board needs to know."""
        with self._reading():
            return person_rows.stopped(self._connection, instant(now))

    def presence(self, room: str = "", person: str = "") -> tuple[PresenceRow, ...]:
        """Return who is inside, in one room or in all."""
        with self._reading():
            return room_rows.presence(self._connection, room, person)

    def rooms_of(self, person: str) -> frozenset[str]:
        """Return the rooms *person* is in."""
        with self._reading():
            return room_rows.inside(self._connection, person)

    def heard(self) -> dict[str, int]:
        """Return, per board, the index of the last event that was taken in."""
        with self._reading():
            return dict(self._connection.execute("SELECT board, heard FROM boards"))

    def host_room(self) -> str:
        """Return the room this host stands in, ``""`` when nobody said."""
        with self._reading():
            return room_rows.setting(self._connection, room_rows.HERE)

    def listens_at(self) -> str:
        """Return the address at which boards reach this host (``10.9.0.2:60001``), ``""`` when nobody said."""
        with self._reading():
            return room_rows.setting(self._connection, room_rows.LISTENS_AT)

    def open_alarms(self) -> tuple[AlarmRow, ...]:
        """Return the alarms nobody has acknowledged, oldest first."""
        with self._reading():
            return room_rows.open_alarms(self._connection)

    def room_states(self) -> dict[str, str]:
        """Return the stored state of each room's panel."""
        with self._reading():
            return room_rows.room_states(self._connection)

    def board_cards(self) -> tuple[CardRow, ...]:
        """Return what every board should hold, and what of it is confirmed."""
        with self._reading():
            return room_rows.board_cards(self._connection)
