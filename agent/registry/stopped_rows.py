"""Who is stopped for good or for now, in one question: inactive, on hold, or leaving.

Rules of this file: standard library only; the caller holds the read transaction. No verdict rests on this list: it says
whose cards door boards need not know any more, and the verdict on each of these people is a denial anyway.
"""

import sqlite3

_STOPPED = """
SELECT id FROM people WHERE active = 0
UNION SELECT person FROM holds WHERE lifted_at IS NULL AND since <= ?1
UNION SELECT person FROM departures WHERE set_aside_at IS NULL AND approved_at <= ?1
"""


def stopped(connection: sqlite3.Connection, now: str) -> frozenset[str]:
    """Return who is stopped at the stored instant *now*."""
    return frozenset(person for (person,) in connection.execute(_STOPPED, (now,)))
