"""Rows of the areas and rooms that decisions are about.

Rules of this file: standard library only; the caller holds the read transaction. Removed ones are left out.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from agent.registry.columns import maybe_moment
from agent.registry.dataclass_columns import DataclassColumns
from rules.model import Level, Mode, Resource, RoomRules, Scope

ROOM_RULES = DataclassColumns(RoomRules)
_RESOURCE = (
    "SELECT key, name, kind, level, domain, mode, custodian, hours, secret_until,"  # noqa: S608 - names of our own
    f" {ROOM_RULES.selected} FROM resources LEFT JOIN rooms ON rooms.resource = resources.key WHERE removed_at IS NULL"
)


def resource(connection: sqlite3.Connection, name: str) -> tuple[int, Resource] | None:
    """Return the key and the area or room of this name, or ``None`` when unknown."""
    row = connection.execute(f"{_RESOURCE} AND name = ?", (name,)).fetchone()
    if row is None:
        return None
    members = connection.execute("SELECT kind, member FROM scope WHERE resource = ?", (row[0],))
    return row[0], _resource(row, _scope(members))


def name_of(connection: sqlite3.Connection, key: int) -> str | None:
    """Return the name of the area or room with this key, ``None`` when it was removed."""
    row = connection.execute("SELECT name FROM resources WHERE key = ? AND removed_at IS NULL", (key,)).fetchone()
    return None if row is None else str(row[0])


def all_areas(connection: sqlite3.Connection) -> Iterator[tuple[int, Resource]]:
    """Yield the key of every area and the area, ordered by name, with two queries in total."""
    members: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for key, kind, member in connection.execute("SELECT resource, kind, member FROM scope"):
        members[key].append((kind, member))
    for row in connection.execute(f"{_RESOURCE} AND kind = 'area' ORDER BY name"):
        yield row[0], _resource(row, _scope(members[row[0]]))


def _resource(row: tuple[Any, ...], scope: Scope) -> Resource:
    _, name, kind, level, domain, mode, custodian, hours, secret_until, *rules = row
    room = None
    if kind == "room":
        if None in rules:
            raise ValueError("a room without its rules")  # it must not be treated as an area, which requires less
        room = ROOM_RULES.read(rules)
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
