"""Writing the break-glass: one sealed code, and until when it is broken.

Rules of this file: what is stored of the code is its digest (:mod:`agent.registry.pin_digest`). It opens once. Nobody
learns from a refusal whether a code is sealed.
"""

import hmac
import secrets
from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import instant
from agent.registry.pin_digest import digest
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import OFFICER
from agent.registry.validation import words
from rules.text import Text

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread on paper
_GROUPS, _LONG = 5, 4  # 100 bits


def make_code() -> str:
    """Return a new code, in groups as it is printed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LONG)) for _ in range(_GROUPS))


class BreakGlassRepository:
    """The break-glass. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def seal(self, code: str, *, by: str) -> None:
        """Seal *code* in place of what was sealed before."""
        salt = secrets.token_bytes(16)
        self._transaction.execute(
            "INSERT OR REPLACE INTO break_glass (id, salt, code, sealed_at, sealed_by, broken_until, broken_by)"
            " VALUES (1, ?, ?, ?, ?, NULL, '')",
            salt,
            digest(_plain(code), salt),
            self._transaction.stamp,
            words(by, OFFICER, required=True),
        )

    def open(self, code: str, *, by: str, until: datetime) -> None:
        """Break it until *until*; the code is used up."""
        found = self._transaction.row("SELECT salt, code FROM break_glass WHERE code IS NOT NULL")
        salt, stored = found or (bytes(16), b"")
        if not hmac.compare_digest(digest(_plain(code), salt), stored):
            raise RefusedError(
                Text("no such code is sealed", "封存的代码不符"),
                Text("type what is in the envelope", "请输入信封内的代码"),
            )
        self._transaction.update(
            "break_glass", "id", 1, broken_until=instant(until), broken_by=words(by, OFFICER, required=True)
        )
        self._transaction.execute("UPDATE break_glass SET code = NULL")

    def close(self) -> None:
        """End it."""
        if not self._transaction.execute(
            "UPDATE break_glass SET broken_until = NULL WHERE broken_until IS NOT NULL"
        ).rowcount:
            raise RefusedError(Text("the glass is not broken", "未处于应急状态"))

    def void(self) -> bool:
        """Let neither the code nor a broken glass count any more; return whether there was one of them."""
        return bool(
            self._transaction.execute(
                "UPDATE break_glass SET code = NULL, broken_until = NULL"
                " WHERE code IS NOT NULL OR broken_until IS NOT NULL"
            ).rowcount
        )


def _plain(code: str) -> str:
    return "".join(char for char in code.upper() if char.isalnum())
