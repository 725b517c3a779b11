"""Writing lockdowns: nobody enters a room, or any room, until one is lifted. The way out stays open.

Rules of this file: a second lockdown of the same place is not a second stop to lift, so it is refused; one of the site
and one of a room stand beside each other. The row stays after lifting.
"""

from agent.errors import RefusedError
from agent.registry.columns import numbered
from agent.registry.repositories.references import require_room
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import OFFICER, REASON
from agent.registry.validation import words
from rules.text import Text
from rules.visible import visible


class LockdownRepository:
    """Lockdowns. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lock a room, or for ``""`` the whole site, and return the number (``L000123``)."""
        key = require_room(self._transaction, room) if room else None
        if found := self._in_force(key):
            said = _place(room)
            raise RefusedError(
                Text(
                    f"{said.en} is locked down already: {numbered('L', found)}",
                    f"{said.zh}已处于封控：{numbered('L', found)}",
                ),
                Text("see `shoumi lockdown list`", "参见 `shoumi lockdown list`"),
            )
        number = self._transaction.insert(
            "lockdowns",
            room=key,
            since=self._transaction.stamp,
            placed_by=words(by, OFFICER),
            reason=words(reason, REASON, required=True),
        )
        return numbered("L", number)

    def lift(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lift the lockdown of a room or the site, and return its number; another one may go on."""
        key = require_room(self._transaction, room) if room else None
        found = self._in_force(key)
        if found is None:
            said = _place(room)
            raise RefusedError(
                Text(f"{said.en} is not locked down", f"{said.zh}未处于封控"),
                Text("see `shoumi lockdown list`", "参见 `shoumi lockdown list`"),
            )
        self._transaction.update(
            "lockdowns",
            "number",
            found,
            lifted_at=self._transaction.stamp,
            lifted_by=words(by, OFFICER),
            lift_reason=words(reason, REASON, required=True),
        )
        return numbered("L", found)

    def lift_in(self, key: int) -> None:
        """Lift the lockdown of the room of this key, if there is one: the room is removed."""
        self._transaction.execute(
            "UPDATE lockdowns SET lifted_at = ?1 WHERE room = ?2 AND lifted_at IS NULL", self._transaction.stamp, key
        )

    def _in_force(self, key: int | None) -> int | None:
        found = self._transaction.row("SELECT number FROM lockdowns WHERE room IS ? AND lifted_at IS NULL", key)
        return None if found is None else int(found[0])


def _place(room: str) -> Text:
    shown = visible(room)
    return Text(f"`{shown}`", f"`{shown}`") if room else Text("the site", "全单位")
