"""Writing the states of rooms' panels, so that a restart goes on where the last process ended.

Rules of this file: what a state says is the panel's own. No verdict rests on it, so it is written without a new epoch.
"""

from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction


class RoomStateRepository:
    """States of panels. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, room: str, state: str) -> None:
        """Keep the state of the room's panel."""
        self._transaction.execute(
            "INSERT OR REPLACE INTO room_states VALUES (?, ?)", require_room(self._transaction, room), state
        )

    def forget(self, key: int) -> None:
        """Forget the state of the room of this key."""
        self._transaction.execute("DELETE FROM room_states WHERE room = ?", key)
