"""From rows to visits, and to what people have stated for a room.

Rules of this file: standard library only; the caller holds the read transaction. What somebody has ended is not here;
what has run out by its own time is, and says until when it held.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import instant, moment, numbered
from rules.model import Visit


class StatementRow(NamedTuple):
    """What a person has stated for a room: why they come, and whether the devices they carry are declared.

    ``escort`` leads them in if they are on a visit there (``""``: nobody); ``until``: all of it holds before that
    instant.
    """

    purpose: str
    declared: bool
    until: datetime | None
    escort: str = ""


def visits(connection: sqlite3.Connection, person: str, key: int | None = None) -> tuple[Visit, ...]:
    """Return the visits of *person*, to the room *key* or to any, that nobody has ended, over by their date or not."""
    rows = connection.execute(
        "SELECT number, name, escort, host, purpose, since, until FROM visits JOIN resources ON key = room"
        " WHERE person = ?1 AND room = coalesce(?2, room) AND removed_at IS NULL AND ended_at IS NULL ORDER BY number",
        (person, key),
    )
    return tuple(
        Visit(numbered("V", number), place, escort, host, purpose, moment(since), moment(until))
        for number, place, escort, host, purpose, since, until in rows
    )


def stated(connection: sqlite3.Connection, person: str, place: str, now: datetime) -> StatementRow:
    """Return what *person* has stated for this room at *now*; the purpose of a running visit counts as stated."""
    rows = connection.execute(
        "SELECT purpose, declares, until FROM declarations JOIN resources ON key = room"
        " WHERE person = ?1 AND name = ?2 AND removed_at IS NULL AND since <= ?3 AND ?3 < until AND ended_at IS NULL"
        " ORDER BY number DESC",
        (person, place, instant(now)),
    ).fetchall()
    ends = [moment(until) for _, _, until in rows]
    purpose = next((said for said, _, _ in rows if said), "")
    running = [one for one in visits(connection, person) if one.room == place and one.since <= now]
    visit = next((one for one in reversed(running) if one.until and now < one.until), None)
    if visit is not None and visit.until is not None:
        ends.append(visit.until)
        purpose = purpose or visit.purpose
    declared = any(declares for _, declares, _ in rows)
    return StatementRow(purpose, declared, min(ends, default=None), visit.escort if visit else "")
