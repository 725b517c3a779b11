"""Rows of badges that people were given.

Rules of this file: standard library only; the caller holds the read transaction. A lost card is included, with its
state.
"""

import sqlite3
from datetime import datetime
from typing import Literal, NamedTuple

from agent.registry.columns import maybe_moment

BadgeState = Literal["active", "lost", "returned"]


class BadgeRow(NamedTuple):
    """A card that was given to a person. ``until``: it opens nothing from then on; ``None`` for no end.

    ``facility`` and ``bits`` are as read from the card; ``None`` where they were not recorded.
    """

    number: str
    person: str
    state: BadgeState
    until: datetime | None
    facility: int | None = None
    bits: int | None = None

    def good(self, now: datetime) -> bool:
        """Return whether the badge is valid at *now*."""
        return self.state == "active" and (self.until is None or now < self.until)


def as_read(number: str) -> str:
    """Return the number of a card as a reader reports it: ``4660`` for the printed ``0004660``."""
    decimal = number.isascii() and number.isdecimal()
    return (number.lstrip("0") or "0") if decimal else number


def badge(connection: sqlite3.Connection, number: str) -> BadgeRow | None:
    """Return the badge of this number, whatever its state."""
    row = connection.execute(
        "SELECT person, state, until, facility, bits FROM badges WHERE number = ?", (number,)
    ).fetchone()
    return None if row is None else BadgeRow(number, row[0], row[1], maybe_moment(row[2]), *row[3:])


def badges(connection: sqlite3.Connection) -> tuple[BadgeRow, ...]:
    """Return every badge that was not returned, ordered by number."""
    rows = connection.execute(
        "SELECT number, person, state, until, facility, bits FROM badges WHERE state <> 'returned' ORDER BY number"
    )
    return tuple(
        BadgeRow(number, person, state, maybe_moment(until), *read) for number, person, state, until, *read in rows
    )
