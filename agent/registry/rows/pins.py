"""Comparing a PIN with those of a person.

Rules of this file: standard library only; the caller holds the read transaction. The answer takes the same time
whatever it is.
"""

import hmac
import sqlite3
from typing import Literal

from agent.registry.pin_digest import digest

PinCheck = Literal["ok", "duress", "wrong", "none"]


def check(connection: sqlite3.Connection, person: str, digits: str) -> PinCheck:
    """Return what *digits* are to *person*: the PIN, the one for duress, wrong, or ``none`` when there is none."""
    found = connection.execute("SELECT salt, pin, duress FROM pins WHERE person = ?", (person,)).fetchone()
    if found is None:
        return "none"
    salt, pin, duress = found
    typed = digest(digits, salt)
    right, forced = hmac.compare_digest(typed, pin), hmac.compare_digest(typed, duress or bytes(len(typed)))
    return "ok" if right else "duress" if forced else "wrong"
