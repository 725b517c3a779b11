"""Writing the states of room panels, so that a restarted process continues from the last state.

Rules of this file: the panel defines the content of a state. No verdict depends on it, so it is written without a new
epoch.
"""

from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction


class RoomStateRepository:
    """States of panels. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, room: str, state: str) -> None:
        """Store the state of the room's panel."""
        self._transaction.execute(
            "INSERT OR REPLACE INTO room_states VALUES (?, ?)", require_room(self._transaction, room), state
        )

    def forget(self, key: int) -> None:
        """Delete the state of the room of this key."""
        self._transaction.execute("DELETE FROM room_states WHERE room = ?", key)
