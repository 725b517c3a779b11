"""Comparison of typed digits with the PINs of a person.

Rules of this file: standard library only; the caller holds the read transaction. The time does not depend on the
result.
"""

import hmac
import sqlite3
from typing import Literal

from agent.registry.pin_digest import digest

PinCheck = Literal["ok", "duress", "wrong", "none"]


def check(connection: sqlite3.Connection, person: str, digits: str) -> PinCheck:
    """Return whether *digits* are the PIN of *person*, the duress PIN, or wrong; ``none`` if the person has no PIN."""
    row = connection.execute("SELECT salt, pin, duress FROM pins WHERE person = ?", (person,)).fetchone()
    if row is None:
        return "none"
    salt, pin, duress = row
    typed = digest(digits, salt)
    right, forced = hmac.compare_digest(typed, pin), hmac.compare_digest(typed, duress or bytes(len(typed)))
    return "ok" if right else "duress" if forced else "wrong"
