"""From rows to areas with what the guard must know of them beyond a decision.

Rules of this file: standard library only; the caller holds the read transaction. What was removed does not exist.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import maybe_moment, path_text
from agent.registry.rows.resources import all_areas
from rules.model import Resource


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area with what the guard must know beyond the decision.

    ``path`` may hold surrogates for bytes that are not UTF-8. ``reads``: ``each`` asks about every read through an open
    descriptor, ``quiet`` only until the first allowed one. ``enforce_confirm_by``: unless somebody confirms before this
    instant, the area goes back to observe. ``volume`` is what the guard found out about the place when it was added.
    """

    resource: Resource
    path: str
    reads: str
    enforce_confirm_by: datetime | None = None
    volume: Mapping[str, object] = field(default_factory=dict, hash=False)


class AreaLocation(NamedTuple):
    """Where an area lies, and no more than the guard asks at every change: see :class:`AreaRow` for the fields."""

    area: str
    path: bytes
    reads: str
    alone: bool
    enforced: bool
    sealed: bool


def areas(connection: sqlite3.Connection) -> tuple[AreaRow, ...]:
    """Return every area, ordered by name; three queries however many there are."""
    rows = {
        key: (path_text(path), reads, maybe_moment(confirm_by), _volume(volume))
        for key, path, reads, confirm_by, volume in connection.execute(
            "SELECT resource, path, reads, enforce_confirm_by, volume FROM areas"
        )
    }
    return tuple(AreaRow(area, *rows[key]) for key, area in all_areas(connection))


def mark(connection: sqlite3.Connection) -> str:
    """Return a word that is another one after every change of an area or room."""
    [found] = connection.execute("SELECT mark FROM areas_mark").fetchone()
    return str(found)


def places(connection: sqlite3.Connection) -> tuple[AreaLocation, ...]:
    """Return where every area lies; one plain query, because every change of rights waits for it."""
    rows = connection.execute(
        "SELECT name, path, reads, json_extract(volume, '$.alone') IS 1, mode <> 'observe',"
        " json_extract(volume, '$.sealed') IS 1"
        " FROM areas JOIN resources ON resources.key = areas.resource WHERE removed_at IS NULL"
    )
    return tuple(
        AreaLocation(area, path, reads, bool(alone), bool(enforced), bool(sealed))
        for area, path, reads, alone, enforced, sealed in rows
    )


def observing(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the areas that only watch."""
    rows = connection.execute(
        "SELECT name FROM resources WHERE kind = 'area' AND mode = 'observe' AND removed_at IS NULL"
    )
    return frozenset(name for (name,) in rows)


def _volume(stored: str) -> dict[str, object]:
    found = json.loads(stored)
    if not isinstance(found, dict):
        raise ValueError("volume is not an object")  # noqa: TRY004 - the file is wrong, not our caller
    return found
