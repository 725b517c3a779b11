"""Writing lockdowns: nobody enters a room, or any room, until the lockdown is lifted. The way out stays open.

Rules of this file: a second lockdown of the same place is refused; one of the site and one of a room can exist at the
same time. The row stays after lifting.
"""

from agent.errors import RefusedError
from agent.registry.columns import numbered
from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import OFFICER, REASON
from agent.registry.validation import free_text
from rules.text import Message, Sentence, Text
from rules.visible import visible


class LockdownRepository:
    """Lockdowns. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lock down a room, or for ``""`` the whole site, and return the number (``L000123``)."""
        key = require_room(self._transaction, room) if room else None
        if lockdown := self._in_force(key):
            place = _place(room)
            raise RefusedError(
                Message("registry.already-locked-down", place=place, lockdown=numbered("L", lockdown)),
                Message("registry.see-shoumi-lockdown-list"),
            )
        number = self._transaction.insert(
            "lockdowns",
            room=key,
            since=self._transaction.stamp,
            placed_by=free_text(by, OFFICER),
            reason=free_text(reason, REASON, required=True),
        )
        return numbered("L", number)

    def lift(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lift the lockdown of a room or the site, and return its number; the other kind may remain."""
        key = require_room(self._transaction, room) if room else None
        lockdown = self._in_force(key)
        if lockdown is None:
            place = _place(room)
            raise RefusedError(
                Message("registry.not-locked-down", place=place),
                Message("registry.see-shoumi-lockdown-list"),
            )
        self._transaction.update(
            "lockdowns",
            "number",
            lockdown,
            lifted_at=self._transaction.stamp,
            lifted_by=free_text(by, OFFICER),
            lift_reason=free_text(reason, REASON, required=True),
        )
        return numbered("L", lockdown)

    def lift_in(self, key: int) -> None:
        """Lift the lockdown of the room of this key, which is being removed, if there is one."""
        self._transaction.execute(
            "UPDATE lockdowns SET lifted_at = ?1 WHERE room = ?2 AND lifted_at IS NULL", self._transaction.stamp, key
        )

    def _in_force(self, key: int | None) -> int | None:
        number_row = self._transaction.row("SELECT number FROM lockdowns WHERE room IS ? AND lifted_at IS NULL", key)
        return None if number_row is None else int(number_row[0])


def _place(room: str) -> Sentence:
    shown_room = visible(room)
    return Text(f"`{shown_room}`", f"`{shown_room}`") if room else Message("common.site")
