"""From rows to areas, rooms, services and holidays.

Rules of this file: standard library only; the caller holds the read transaction. What was removed does not exist.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from agent.registry.columns import maybe_moment, path_text
from rules.model import Level, Mode, Passback, Resource, RoomRules, Scope, Service


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


_RESOURCE = (
    "SELECT key, name, kind, level, domain, mode, custodian, hours, secret_until,"
    " two_person, needs_purpose, needs_declaration, needs_pin, anti_passback, occupancy_limit, first_in"
    " FROM resources LEFT JOIN rooms ON rooms.resource = resources.key WHERE removed_at IS NULL"
)


def resource(connection: sqlite3.Connection, name: str) -> tuple[int, Resource] | None:
    """Return the key and the area or room of this name, or ``None`` when unknown."""
    row = connection.execute(f"{_RESOURCE} AND name = ?", (name,)).fetchone()
    if row is None:
        return None
    members = connection.execute("SELECT kind, member FROM scope WHERE resource = ?", (row[0],))
    return row[0], _resource(row, _scope(members))


def area_rows(connection: sqlite3.Connection) -> tuple[AreaRow, ...]:
    """Return every area, ordered by name; three queries however many there are."""
    members: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for key, kind, member in connection.execute("SELECT resource, kind, member FROM scope"):
        members[key].append((kind, member))
    places = {
        key: (path_text(path), reads, maybe_moment(confirm_by), _volume(volume))
        for key, path, reads, confirm_by, volume in connection.execute(
            "SELECT resource, path, reads, enforce_confirm_by, volume FROM areas"
        )
    }
    rows = connection.execute(f"{_RESOURCE} AND kind = 'area' ORDER BY name")
    return tuple(AreaRow(_resource(row, _scope(members[row[0]])), *places[row[0]]) for row in rows)


def places(connection: sqlite3.Connection) -> tuple[AreaLocation, ...]:
    """Return where every area lies; one plain query, because every change of rights waits for it."""
    rows = connection.execute(
        "SELECT name, path, reads, json_extract(volume, '$.alone') IS 1"
        " FROM areas JOIN resources ON resources.key = areas.resource WHERE removed_at IS NULL"
    )
    return tuple(AreaLocation(area, path, reads, bool(alone)) for area, path, reads, alone in rows)


def service(connection: sqlite3.Connection, service_id: str) -> Service | None:
    """Return the service of this name, or ``None`` when unknown."""
    found = connection.execute("SELECT uid, executable, active FROM services WHERE id = ?", (service_id,)).fetchone()
    if found is None:
        return None
    names = connection.execute(
        "SELECT name FROM service_areas JOIN resources ON resources.key = resource"
        " WHERE service = ? AND removed_at IS NULL",
        (service_id,),
    )
    uid, executable, active = found
    return Service(service_id, uid, path_text(executable), frozenset(name for (name,) in names), bool(active))


def holidays(connection: sqlite3.Connection) -> frozenset[date]:
    """Return every registered holiday."""
    return frozenset(date.fromisoformat(day) for (day,) in connection.execute("SELECT day FROM holidays"))


def _resource(row: tuple[Any, ...], scope: Scope) -> Resource:
    _, name, kind, level, domain, mode, custodian, hours, secret_until, *asked = row
    room = None
    if kind == "room":
        if None in asked:
            raise ValueError("a room without its rules")  # it must not pass for an area, which asks for less
        two, purpose, declaration, pin, passback, limit, first = asked
        room = RoomRules(bool(two), bool(purpose), bool(declaration), bool(pin), Passback(passback), limit, bool(first))
    return Resource(
        id=name,
        level=Level(level),
        domain=domain,
        scope=scope,
        mode=Mode(mode),
        custodian=custodian or "",
        secret_until=maybe_moment(secret_until),
        hours=hours,
        room=room,
    )


def _scope(members: Iterable[tuple[str, str]]) -> Scope:
    kinds: dict[str, set[str]] = {"person": set(), "department": set(), "project": set()}
    for kind, member in members:
        kinds[kind].add(member)
    return Scope(frozenset(kinds["person"]), frozenset(kinds["department"]), frozenset(kinds["project"]))


def _volume(stored: str) -> dict[str, object]:
    found = json.loads(stored)
    if not isinstance(found, dict):
        raise ValueError("volume is not an object")  # noqa: TRY004 - the file is wrong, not our caller
    return found
