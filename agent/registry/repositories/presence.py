"""Writing presence: the people inside each room.

Rules of this file: no verdict about a file or a badge depends on these rows (but see :meth:`PresenceRepository.enter`),
so they are written without a new epoch: a badge read must not make the decider check every open file again.
"""

from collections.abc import Mapping
from datetime import datetime

from agent.registry.columns import instant
from agent.registry.repositories.references import require_person, require_room
from agent.registry.repositories.transaction import Transaction


class PresenceRepository:
    """Presence of people. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def enter(self, room: str, person: str, *, door: str = "", at: datetime | None = None) -> None:
        """Record that *person* is inside since *at*; a person already inside keeps their arrival time.

        Under a pack that opens files only to people inside, call this in a change, which advances the epoch.
        """
        require_person(self._transaction, person)
        self._transaction.execute(
            "INSERT OR IGNORE INTO presence VALUES (?, ?, ?, ?)",
            require_room(self._transaction, room),
            person,
            instant(at or self._transaction.at),
            door,
        )

    def leave(self, room: str, person: str) -> bool:
        """Record that *person* is outside, and return whether they were inside."""
        key = require_room(self._transaction, room)
        return bool(
            self._transaction.execute("DELETE FROM presence WHERE room = ? AND person = ?", key, person).rowcount
        )

    def replace(self, room: str, inside: Mapping[str, tuple[datetime, str]]) -> None:
        """Replace the people inside: person → since and door."""
        key = require_room(self._transaction, room)
        self.clear(key)
        for person, (since, door) in inside.items():
            require_person(self._transaction, person)
            self._transaction.insert("presence", room=key, person=person, since=instant(since), door=door)

    def clear(self, key: int) -> None:
        """Record that nobody is inside the room of this key."""
        self._transaction.execute("DELETE FROM presence WHERE room = ?", key)
