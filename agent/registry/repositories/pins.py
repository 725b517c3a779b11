"""Writing PINs: the PIN that a person types at a door with the badge, and the duress PIN, which also raises an alarm.

Rules of this file: only digests are stored (:mod:`agent.registry.pin_digest`). No log and no refusal contains a PIN.
"""

import secrets

from agent.errors import RefusedError
from agent.registry.pin_digest import digest
from agent.registry.repositories.references import require_person
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import PIN
from agent.registry.validation import unknown
from rules.text import Message

_SHORTEST, _LONGEST = 4, 8
_RUNS = "0123456789 9876543210"


class PinRepository:
    """PINs of people. Every method may raise :class:`agent.errors.RefusedError`, which never contains a PIN."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, person: str, pin: str, duress: str = "") -> None:
        """Replace the PINs of *person*. *duress* also opens the door, and raises an alarm not visible at the door."""
        require_person(self._transaction, person)
        for digits in (pin, *([duress] if duress else [])):
            _check(digits)
        if pin == duress:
            raise RefusedError(
                Message("registry.pins-are-the-same"),
                Message("registry.choose-other-duress-pin"),
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
        """Delete the PINs of *person*."""
        if not self._transaction.execute("DELETE FROM pins WHERE person = ?", person).rowcount:
            raise unknown(PIN, person, "shoumi pin list")


def _check(digits: str) -> None:
    if not (digits.isascii() and digits.isdigit() and _SHORTEST <= len(digits) <= _LONGEST):
        raise RefusedError(
            Message("registry.pin-digits-only"),
            Message("registry.pin-length", shortest=_SHORTEST, longest=_LONGEST),
        )
    if len({*digits}) == 1 or digits in _RUNS:
        raise RefusedError(
            Message("registry.pin-too-simple"),
            Message("registry.pin-pattern"),
        )
