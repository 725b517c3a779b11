"""Rows of areas, with the data that the guard needs beyond a decision.

Rules of this file: standard library only; the caller holds the read transaction. Removed areas are left out.
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
    """An area with the data that the guard needs beyond a decision.

    ``path`` may hold surrogates for bytes that are not UTF-8. ``reads``: ``each`` checks every read through an open
    descriptor, ``quiet`` only until the first allowed one. ``enforce_confirm_by``: unless enforce mode is confirmed
    before this instant, the area returns to observe. ``volume`` is what the guard found about the place when it was
    added.
    """

    resource: Resource
    path: str
    reads: str
    enforce_confirm_by: datetime | None = None
    volume: Mapping[str, object] = field(default_factory=dict, hash=False)


class AreaLocation(NamedTuple):
    """The location of an area, with the fields that the guard needs at every change: see :class:`AreaRow`."""

    area: str
    path: bytes
    reads: str
    alone: bool
    enforced: bool
    sealed: bool


def areas(connection: sqlite3.Connection) -> tuple[AreaRow, ...]:
    """Return every area, ordered by name, with three queries in total."""
    rows = {
        key: (path_text(path), reads, maybe_moment(confirm_by), _volume(volume))
        for key, path, reads, confirm_by, volume in connection.execute(
            "SELECT resource, path, reads, enforce_confirm_by, volume FROM areas"
        )
    }
    return tuple(AreaRow(area, *rows[key]) for key, area in all_areas(connection))


def mark(connection: sqlite3.Connection) -> str:
    """Return a random mark that differs after every change of an area or room."""
    [current_mark] = connection.execute("SELECT mark FROM areas_mark").fetchone()
    return str(current_mark)


def places(connection: sqlite3.Connection) -> tuple[AreaLocation, ...]:
    """Return the location of every area, with one simple query, because every change of rights waits for it."""
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
    """Return the areas in observe mode."""
    rows = connection.execute(
        "SELECT name FROM resources WHERE kind = 'area' AND mode = 'observe' AND removed_at IS NULL"
    )
    return frozenset(name for (name,) in rows)


def _volume(stored: str) -> dict[str, object]:
    volume = json.loads(stored)
    if not isinstance(volume, dict):
        raise ValueError("volume is not an object")  # noqa: TRY004 - the file is wrong, not our caller
    return volume
