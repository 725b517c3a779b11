"""Rights that a change may affect: pairs of a person and a place to evaluate.

Rules of this file: standard library only; the caller holds the read transaction. A pair that is left out certainly has
no right: nothing was ever granted, the level requires a grant, and there is no visit.
"""

import sqlite3
from collections.abc import Iterator

from agent.registry.touched import Touched
from rules.rights import Right

_GRANTED = (
    "SELECT DISTINCT grants.person, name FROM grants JOIN resources ON key = grants.resource WHERE removed_at IS NULL"
)
_VISITED = (
    "SELECT DISTINCT visits.person, name FROM visits JOIN resources ON key = visits.room WHERE removed_at IS NULL"
)
_FREE = "SELECT people.id, resources.name FROM people CROSS JOIN resources WHERE removed_at IS NULL AND level < ?"


def rooms(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the existing rooms."""
    rows = connection.execute("SELECT name FROM resources WHERE kind = 'room' AND removed_at IS NULL")
    return frozenset(name for (name,) in rows)


def candidates(connection: sqlite3.Connection, touched: Touched, granted_from: int) -> Iterator[Right]:
    """Yield the pairs, some of them twice. *granted_from* is the lowest level that requires a grant."""
    if touched.everything:
        yield from _pairs(connection, "", granted_from)
        return
    for person in touched.persons | {person for _, person in touched.uids}:
        yield from _pairs(connection, "AND {person} = ?", granted_from, person)
    for place in touched.places:
        yield from _pairs(connection, "AND key = ?", granted_from, place)
    for person, place in touched.pairs:
        for (name,) in connection.execute("SELECT name FROM resources WHERE key = ? AND removed_at IS NULL", (place,)):
            yield Right(person, name)


def _pairs(connection: sqlite3.Connection, only: str, granted_from: int, *values: object) -> Iterator[Right]:
    for statement, person, first in (
        (_GRANTED, "grants.person", ()),
        (_VISITED, "visits.person", ()),
        (_FREE, "people.id", (granted_from,)),
    ):
        for row in connection.execute(f"{statement} {only.format(person=person)}", (*first, *values)):
            yield Right(*row)
