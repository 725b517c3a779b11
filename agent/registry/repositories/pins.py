"""Writing PINs: what a person types at a door beside the badge, and the other PIN that opens and calls for help.

Rules of this file: what is stored is :mod:`agent.registry.pin_digest`'s. A PIN is in no log and in no refusal.
"""

import secrets

from agent.errors import RefusedError
from agent.registry.pin_digest import digest
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import PIN
from agent.registry.validation import unknown
from rules.text import Text

_SHORTEST, _LONGEST = 4, 8
_RUNS = "0123456789 9876543210"


class PinRepository:
    """PINs of people. Every method may raise :class:`agent.errors.RefusedError`; none of them repeats a PIN."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, person: str, pin: str, duress: str = "") -> None:
        """Replace the PINs of *person*. *duress* opens like the other, and raises an alarm nobody at the door sees."""
        require_person(self._transaction, person)
        for digits in (pin, *([duress] if duress else [])):
            _check(digits)
        if pin == duress:
            raise RefusedError(
                Text("the two PINs are the same", "两个密码相同"),
                Text("choose another one for duress", "请为胁迫密码另选数字"),
            )
        salt = secrets.token_bytes(16)
        self._transaction.execute(
            "INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?)",
            person,
            salt,
            digest(pin, salt),
            digest(duress, salt) if duress else None,
            self._transaction.stamp,
        )

    def remove(self, person: str) -> None:
        """Forget the PINs of *person*."""
        if not self._transaction.execute("DELETE FROM pins WHERE person = ?", person).rowcount:
            raise unknown(PIN, person, "shoumi pin list")


def _check(digits: str) -> None:
    if not (digits.isascii() and digits.isdigit() and _SHORTEST <= len(digits) <= _LONGEST):
        raise RefusedError(
            Text("a PIN is digits only", "密码只能由数字组成"),
            Text(f"use {_SHORTEST} to {_LONGEST} digits", f"请使用 {_SHORTEST} 至 {_LONGEST} 位数字"),
        )
    if len({*digits}) == 1 or digits in _RUNS:
        raise RefusedError(
            Text("everybody would guess this PIN first", "该密码过于简单"),
            Text("no run of digits, and not one digit repeated", "请勿使用连号或同一数字重复"),
        )
