"""Rows of visits and of declarations for a room.

Rules of this file: standard library only; the caller holds the read transaction. Rows that an officer ended are left
out; rows that have expired are included, with their end.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import instant, moment, numbered
from rules.model import Visit


class StatementRow(NamedTuple):
    """The declaration of a person for a room: the purpose, and whether the devices they carry are declared.

    ``escort`` accompanies them on a visit there (``""``: none); ``until``: the end of the whole declaration.
    """

    purpose: str
    declared: bool
    until: datetime | None
    escort: str = ""


def visits(connection: sqlite3.Connection, person: str, key: int | None = None) -> tuple[Visit, ...]:
    """Return the visits of *person*, to the room *key* or any room, that were not ended, expired ones included."""
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
    """Return the declaration of *person* for this room at *now*; the purpose of a running visit counts as declared."""
    rows = connection.execute(
        "SELECT purpose, declares, until FROM declarations JOIN resources ON key = room"
        " WHERE person = ?1 AND name = ?2 AND removed_at IS NULL AND since <= ?3 AND ?3 < until AND ended_at IS NULL"
        " ORDER BY number DESC",
        (person, place, instant(now)),
    ).fetchall()
    ends = [moment(until) for _, _, until in rows]
    purpose = next((stated_purpose for stated_purpose, _, _ in rows if stated_purpose), "")
    running = [
        visit_row for visit_row in visits(connection, person) if visit_row.room == place and visit_row.since <= now
    ]
    visit = next((visit_row for visit_row in reversed(running) if visit_row.until and now < visit_row.until), None)
    if visit is not None and visit.until is not None:
        ends.append(visit.until)
        purpose = purpose or visit.purpose
    declared = any(declares for _, declares, _ in rows)
    return StatementRow(purpose, declared, min(ends, default=None), visit.escort if visit else "")
