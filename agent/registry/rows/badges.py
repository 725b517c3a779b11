"""From rows to the cards people were given.

Rules of this file: standard library only; the caller holds the read transaction. A card that was lost is there, and
says so.
"""

import sqlite3
from datetime import datetime
from typing import Literal, NamedTuple

from agent.registry.columns import maybe_moment

BadgeState = Literal["active", "lost", "returned"]


class BadgeRow(NamedTuple):
    """A card that was given to somebody. ``until``: it opens nothing from then on; ``None`` for no end.

    ``facility`` and ``bits`` are how the card reads; ``None`` where nobody wrote it down.
    """

    number: str
    person: str
    state: BadgeState
    until: datetime | None
    facility: int | None = None
    bits: int | None = None

    def good(self, now: datetime) -> bool:
        """Whether it stands for its person at *now*."""
        return self.state == "active" and (self.until is None or now < self.until)


def as_read(number: str) -> str:
    """Return the number of a card as a reader reports it: of ``0004660``, which is what is printed, ``4660``."""
    decimal = number.isascii() and number.isdecimal()
    return (number.lstrip("0") or "0") if decimal else number


def badge(connection: sqlite3.Connection, number: str) -> BadgeRow | None:
    """Return the badge of this number, whatever its state."""
    found = connection.execute(
        "SELECT person, state, until, facility, bits FROM badges WHERE number = ?", (number,)
    ).fetchone()
    return None if found is None else BadgeRow(number, found[0], found[1], maybe_moment(found[2]), *found[3:])


def badges(connection: sqlite3.Connection) -> tuple[BadgeRow, ...]:
    """Return every badge that was not taken back, ordered by number."""
    rows = connection.execute(
        "SELECT number, person, state, until, facility, bits FROM badges WHERE state <> 'returned' ORDER BY number"
    )
    return tuple(BadgeRow(number, who, state, maybe_moment(until), *read) for number, who, state, until, *read in rows)
