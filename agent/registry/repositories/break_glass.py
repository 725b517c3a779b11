"""Writing the break-glass access: one sealed code, and the end of the access it has opened.

Rules of this file: only the digest of the code is stored (:mod:`agent.registry.pin_digest`). A code opens once. A
refusal does not show whether a code is sealed.
"""

import hmac
import secrets
from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.pin_digest import digest
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import OFFICER
from agent.registry.validation import free_text
from rules.text import Message

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no characters that are easily confused on paper
_GROUPS, _LONG = 5, 4  # 100 bits


def make_code() -> str:
    """Return a new code, in groups for printing."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LONG)) for _ in range(_GROUPS))


class BreakGlassRepository:
    """The break-glass access. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def seal(self, code: str, *, by: str) -> None:
        """Seal *code*, which replaces an earlier one."""
        salt = secrets.token_bytes(16)
        self._transaction.execute(
            "INSERT OR REPLACE INTO break_glass (id, salt, code, sealed_at, sealed_by, broken_until, broken_by)"
            " VALUES (1, ?, ?, ?, ?, NULL, '')",
            salt,
            digest(_plain(code), salt),
            self._transaction.stamp,
            free_text(by, OFFICER, required=True),
        )

    def open(self, code: str, *, by: str, until: datetime) -> None:
        """Open break-glass access until *until*; the code cannot be used again."""
        sealed = self._transaction.row("SELECT salt, code FROM break_glass WHERE code IS NOT NULL")
        salt, stored = sealed or (bytes(16), b"")
        if not hmac.compare_digest(digest(_plain(code), salt), stored):
            raise RefusedError(
                Message("registry.sealed-code-mismatch"),
                Message("registry.type-sealed-code"),
            )
        self._transaction.update(
            "break_glass", "id", 1, broken_until=instant(until), broken_by=free_text(by, OFFICER, required=True)
        )
        self._transaction.execute("UPDATE break_glass SET code = NULL")

    def close(self) -> None:
        """End break-glass access."""
        if not self._transaction.execute(
            "UPDATE break_glass SET broken_until = NULL WHERE broken_until IS NOT NULL"
        ).rowcount:
            raise RefusedError(Message("registry.break-glass-not-active"))

    def void(self) -> bool:
        """Void the sealed code and open access; return whether there was either."""
        return bool(
            self._transaction.execute(
                "UPDATE break_glass SET code = NULL, broken_until = NULL"
                " WHERE code IS NOT NULL OR broken_until IS NOT NULL"
            ).rowcount
        )


def _plain(code: str) -> str:
    return "".join(char for char in code.upper() if char.isalnum())
