"""PINs: what a person types at a door beside the badge, and the other PIN that opens and calls for help.

Rules of this file: standard library only. A PIN is stored as scrypt (RFC 7914) under a salt of its person, so that two
people with one PIN do not show, and one run answers for both PINs in the same time. That slows guessing down; it does
not make a few digits a secret from somebody who holds the file, which is why only root can read it. A PIN is in no log.
"""

import hashlib
import hmac
import secrets
import sqlite3
from typing import Literal

from agent.errors import RefusedError
from agent.registry.transaction import Transaction, unknown
from rules.text import Text

PinCheck = Literal["ok", "duress", "wrong", "none"]

PIN = Text("PIN", "密码")
_SHORTEST, _LONGEST = 4, 8
_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 1 << 26, "dklen": 32}  # 16 MiB and some 50 ms a try
_RUNS = "0123456789 9876543210"


class PinWrites(Transaction):
    """Writes about PINs. All raise :class:`agent.errors.RefusedError`; none of them repeats a PIN."""

    def set_pin(self, person: str, pin: str, duress: str = "") -> None:
        """Replace the PINs of *person*. *duress* opens like the other, and raises an alarm nobody at the door sees."""
        self._need_person(person)
        for digits in (pin, *([duress] if duress else [])):
            _check(digits)
        if pin == duress:
            raise RefusedError(
                Text("the two PINs are the same", "两个密码相同"),
                Text("choose another one for duress", "请为胁迫密码另选数字"),
            )
        salt = secrets.token_bytes(16)
        self._run(
            "INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?)",
            person,
            salt,
            _digest(pin, salt),
            _digest(duress, salt) if duress else None,
            self._at,
        )

    def remove_pin(self, person: str) -> None:
        """Forget the PINs of *person*."""
        if not self._run("DELETE FROM pins WHERE person = ?", person).rowcount:
            raise unknown(PIN, person, "shoumi pin list")


def check(connection: sqlite3.Connection, person: str, digits: str) -> PinCheck:
    """Return what *digits* are to *person*: the PIN, the one for duress, wrong, or ``none`` when there is none."""
    found = connection.execute("SELECT salt, pin, duress FROM pins WHERE person = ?", (person,)).fetchone()
    if found is None:
        return "none"
    salt, pin, duress = found
    digest = _digest(digits, salt)
    right, forced = hmac.compare_digest(digest, pin), hmac.compare_digest(digest, duress or bytes(len(digest)))
    return "ok" if right else "duress" if forced else "wrong"


def _digest(digits: str, salt: bytes) -> bytes:
    return hashlib.scrypt(digits.encode(), salt=salt, **_COST)


def _check(digits: str) -> None:
    if not (digits.isascii() and digits.isdigit() and _SHORTEST <= len(digits) <= _LONGEST):
        raise RefusedError(
            Text("a PIN is digits only", "密码只能由数字组成"),
            Text(f"use {_SHORTEST} to {_LONGEST} digits", f"请使用 {_SHORTEST} 至 {_LONGEST} 位数字"),
        )
    if len(set(digits)) == 1 or digits in _RUNS:
        raise RefusedError(
            Text("everybody would guess this PIN first", "该密码过于简单"),
            Text("no run of digits, and not one digit repeated", "请勿使用连号或同一数字重复"),
        )
