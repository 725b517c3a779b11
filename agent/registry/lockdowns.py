"""Writing lockdowns: nobody enters a room, or any room, until one is lifted. The way out stays open.

Rules of this file: a second lockdown of the same place is not a second stop to lift, so it is refused; one of the site
and one of a room stand beside each other. The row stays after lifting.
"""

from agent.errors import RefusedError
from agent.registry.columns import numbered
from agent.registry.transaction import Transaction, words
from rules.text import Text
from rules.visible import visible

_REASON = Text("reason", "事由")
_OFFICER = Text("officer", "经办人")


class LockdownWrites(Transaction):
    """Writes about lockdowns. All raise :class:`agent.errors.RefusedError`."""

    def add_lockdown(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lock a room, or for ``""`` the whole site, and return the number (``L000123``)."""
        key = self._need_resource(room, "room") if room else None
        if found := self._lockdown_in_force(key):
            said = _place(room)
            raise RefusedError(
                Text(
                    f"{said.en} is locked down already: {numbered('L', found)}",
                    f"{said.zh}已处于封控：{numbered('L', found)}",
                ),
                Text("see `shoumi lockdown list`", "参见 `shoumi lockdown list`"),
            )
        added = self._add(
            "INSERT INTO lockdowns (room, since, placed_by, reason) VALUES (?, ?, ?, ?)",
            key,
            self._at,
            words(by, _OFFICER),
            words(reason, _REASON, required=True),
        )
        return numbered("L", added)

    def lift_lockdown(self, room: str = "", *, reason: str, by: str = "") -> str:
        """Lift the lockdown of a room or the site, and return its number; another one may go on."""
        key = self._need_resource(room, "room") if room else None
        found = self._lockdown_in_force(key)
        if found is None:
            said = _place(room)
            raise RefusedError(
                Text(f"{said.en} is not locked down", f"{said.zh}未处于封控"),
                Text("see `shoumi lockdown list`", "参见 `shoumi lockdown list`"),
            )
        self._run(
            "UPDATE lockdowns SET lifted_at = ?, lifted_by = ?, lift_reason = ? WHERE number = ?",
            self._at,
            words(by, _OFFICER),
            words(reason, _REASON, required=True),
            found,
        )
        return numbered("L", found)

    def _lockdown_in_force(self, key: int | None) -> int | None:
        found = self._row("SELECT number FROM lockdowns WHERE room IS ? AND lifted_at IS NULL", key)
        return None if found is None else int(found[0])


def _place(room: str) -> Text:
    shown = visible(room)
    return Text(f"`{shown}`", f"`{shown}`") if room else Text("the site", "全单位")
