"""Writing settings of the site: what the agent remembers under a name.

Rules of this file: what a name means belongs to whoever reads it.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import identifier, words
from rules.text import Text


class SettingRepository:
    """Settings. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, name: str, value: str | None) -> None:
        """Keep *value* under *name*; ``None`` forgets it."""
        if value is None:
            self._transaction.execute("DELETE FROM settings WHERE name = ?", name)
            return
        self._transaction.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            identifier(name, Text("setting", "设置")),
            words(value, Text("value", "值")),
        )
