"""Writing settings of the site: values that the agent stores under a name.

Rules of this file: the reader of a setting defines its meaning.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import free_text, identifier
from rules.text import Message


class SettingRepository:
    """Settings. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, name: str, text: str | None) -> None:
        """Store *text* under *name*; ``None`` deletes the setting."""
        if text is None:
            self._transaction.execute("DELETE FROM settings WHERE name = ?", name)
            return
        self._transaction.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            identifier(name, Message("registry.setting")),
            free_text(text, Message("registry.value")),
        )
