"""Rows of open alarms and of lockdowns in force.

Rules of this file: standard library only; the caller holds the read transaction. Acknowledged alarms and lifted
lockdowns are left out.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import moment, numbered
from rules.model import Lockdown
from rules.text import Sentence, Text


class AlarmRow(NamedTuple):
    """An unacknowledged alarm; ``seq`` is the number of its entry."""

    id: str
    kind: str
    room: str
    door: str
    person: str
    text: Sentence
    at: datetime
    seq: int | None


def open_alarms(connection: sqlite3.Connection) -> tuple[AlarmRow, ...]:
    """Return the unacknowledged alarms, oldest first."""
    rows = connection.execute(
        "SELECT number, kind, room, door, person, text_en, text_zh, at, seq FROM alarms"
        " WHERE acked_at IS NULL ORDER BY number"
    )
    return tuple(
        AlarmRow(numbered("A", number), kind, place, door, person, Text(en, zh), moment(at), seq)
        for number, kind, place, door, person, en, zh, at, seq in rows
    )


def lockdowns(connection: sqlite3.Connection) -> tuple[Lockdown, ...]:
    """Return the lockdowns in force."""
    rows = connection.execute(
        "SELECT coalesce(name, ''), since, reason FROM lockdowns"
        " LEFT JOIN resources ON key = room WHERE lifted_at IS NULL ORDER BY number"
    )
    return tuple(Lockdown(moment(since), name, reason) for name, since, reason in rows)
