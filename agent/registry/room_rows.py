"""Rooms, doors, badges, visitors and what happens there, as frozen data, and how it is read from rows.

Rules of this file: standard library only; the caller holds the read transaction. What was removed, lifted or
acknowledged is not here; what has run out by its own time is, and says until when it held.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from agent.registry.columns import instant, maybe_moment, moment, numbered
from agent.registry.resource_rows import resource
from rules.model import Lockdown, Resource, Visit
from rules.text import Text

Protocol = Literal["osdp", "uhppote"]
Side = Literal["in", "out"]
BadgeState = Literal["active", "lost", "returned"]
Wanted = Literal["put", "gone"]
CardState = Literal["pending", "confirmed"]


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """How a room's panel is set; what it asks of a person is in :class:`rules.model.RoomRules`.

    ``held_open_seconds``: how long a door may stand open after an entry. ``together_seconds``: within what time two
    badges are shown where two enter; 0: as the pack says. ``accompany``: people who are inside count as the second
    person. ``lone_alarm``: one person left alone is an alarm. ``reset_at``: the hour (``HH:MM``, on the host's clock)
    at which whoever is still listed as inside is taken off each day; ``""``: never.
    """

    held_open_seconds: int = 30
    together_seconds: int = 0
    accompany: bool = True
    lone_alarm: bool = False
    reset_at: str = ""


class RoomRow(NamedTuple):
    """A room: what a decision knows of it, its settings, and the areas that are kept in it."""

    resource: Resource
    settings: RoomSettings
    keeps: tuple[str, ...]


class ReaderRow(NamedTuple):
    """One reader of a door. ``key``: the fingerprint of its Secure Channel key, ``""`` while it has none."""

    address: str
    side: Side
    key: str


class DoorRow(NamedTuple):
    """One door. ``strike``: the address of the device whose ``output`` releases it; ``contact``: it says when open."""

    name: str
    room: str
    protocol: Protocol
    readers: tuple[ReaderRow, ...]
    strike: str
    output: int
    strike_seconds: int
    contact: bool


class BadgeRow(NamedTuple):
    """A card that was given to somebody. ``until``: it opens nothing from then on; ``None`` for no end.

    ``facility`` and ``bits`` are how the card reads; ``None`` where nobody wrote it down.
    """

    number: str
    person: str
    state: BadgeState
    until: datetime | None
    facility: int | None = None
    bits: int | None = None

    def good(self, now: datetime) -> bool:
        """Whether it stands for its person at *now*."""
        return self.state == "active" and (self.until is None or now < self.until)


class StatementRow(NamedTuple):
    """What a person has stated for a room: why he comes, and whether the devices he carries are declared.

    ``escort`` leads him in if he is on a visit there (``""``: nobody); ``until``: all of it holds before that instant.
    """

    purpose: str
    declared: bool
    until: datetime | None
    escort: str = ""


class PresenceRow(NamedTuple):
    """Somebody who is inside a room, since when, and the door he came by."""

    room: str
    person: str
    since: datetime
    door: str


class AlarmRow(NamedTuple):
    """An alarm that nobody has acknowledged; ``seq`` is the number of its entry."""

    id: str
    kind: str
    room: str
    door: str
    person: str
    text: Text
    at: datetime
    seq: int | None


class CardRow(NamedTuple):
    """What one board should hold of one card, and whether reading back has confirmed it."""

    board: str
    card: str
    wanted: Wanted
    state: CardState
    why: Text
    at: datetime


# Settings of the site: the room this host stands in, and where boards send their events.
HERE, LISTENS_AT = "host-room", "doors-listen"
_SETTINGS = "held_open_seconds, together_seconds, accompany, lone_alarm, reset_at"


def room(connection: sqlite3.Connection, name: str) -> RoomRow | None:
    """Return the room of this name, ``None`` when there is none."""
    found = resource(connection, name)
    if found is None or found[1].room is None:
        return None
    key, known = found
    [row] = connection.execute(f"SELECT {_SETTINGS} FROM rooms WHERE resource = ?", (key,))  # noqa: S608 - our own columns
    areas = connection.execute(
        "SELECT name FROM kept_areas JOIN resources ON key = area WHERE kept_areas.room = ? ORDER BY name", (key,)
    )
    return RoomRow(known, settings(row), tuple(area for (area,) in areas))


def settings(row: Iterable[Any]) -> RoomSettings:
    """Read the settings of one room."""
    held, together, accompany, lone_alarm, reset_at = row
    return RoomSettings(held, together, bool(accompany), bool(lone_alarm), reset_at)


def rooms(connection: sqlite3.Connection) -> tuple[RoomRow, ...]:
    """Return every room, ordered by name."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM resources WHERE kind = 'room' AND removed_at IS NULL ORDER BY name"
        ).fetchall()
    ]
    return tuple(row for name in names if (row := room(connection, name)))


def doors(connection: sqlite3.Connection) -> tuple[DoorRow, ...]:
    """Return every door with its readers, ordered by name."""
    readers: dict[str, list[ReaderRow]] = {}
    for door, address, side, key in connection.execute("SELECT door, address, side, key FROM readers ORDER BY side"):
        readers.setdefault(door, []).append(ReaderRow(address, side, key))
    rows = connection.execute(
        "SELECT doors.name, resources.name, protocol, strike, output, strike_seconds, contact"
        " FROM doors JOIN resources ON key = room ORDER BY doors.name"
    )
    return tuple(
        DoorRow(name, place, protocol, tuple(readers.get(name, ())), strike, output, seconds, bool(contact))
        for name, place, protocol, strike, output, seconds, contact in rows
    )


def badge(connection: sqlite3.Connection, number: str) -> BadgeRow | None:
    """Return the badge of this number, whatever its state."""
    found = connection.execute(
        "SELECT person, state, until, facility, bits FROM badges WHERE number = ?", (number,)
    ).fetchone()
    return None if found is None else BadgeRow(number, found[0], found[1], maybe_moment(found[2]), *found[3:])


def badges(connection: sqlite3.Connection) -> tuple[BadgeRow, ...]:
    """Return every badge that was not taken back, ordered by number."""
    rows = connection.execute(
        "SELECT number, person, state, until, facility, bits FROM badges WHERE state <> 'returned' ORDER BY number"
    )
    return tuple(BadgeRow(number, who, state, maybe_moment(until), *read) for number, who, state, until, *read in rows)


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


def inside(connection: sqlite3.Connection, person: str) -> frozenset[str]:
    """Return the rooms *person* is in."""
    rows = connection.execute(
        "SELECT name FROM presence JOIN resources ON key = room WHERE person = ? AND removed_at IS NULL", (person,)
    )
    return frozenset(name for (name,) in rows)


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


def presence(connection: sqlite3.Connection, place: str = "", person: str = "") -> tuple[PresenceRow, ...]:
    """Return who is inside, in one room or in all, ordered by room and arrival."""
    rows = connection.execute(
        "SELECT name, person, since, door FROM presence JOIN resources ON key = room"
        " WHERE (?1 = '' OR name = ?1) AND (?2 = '' OR person = ?2) AND removed_at IS NULL"
        " ORDER BY name, since, person",
        (place, person),
    )
    return tuple(PresenceRow(name, who, moment(since), door) for name, who, since, door in rows)


def lockdowns(connection: sqlite3.Connection) -> tuple[Lockdown, ...]:
    """Return the lockdowns in force."""
    rows = connection.execute(
        "SELECT coalesce(name, ''), since, reason FROM lockdowns"
        " LEFT JOIN resources ON key = room WHERE lifted_at IS NULL ORDER BY number"
    )
    return tuple(Lockdown(moment(since), name, reason) for name, since, reason in rows)


def setting(connection: sqlite3.Connection, name: str) -> str:
    """Return a setting of the site, ``""`` when nobody has set it."""
    found = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return "" if found is None else str(found[0])


def open_alarms(connection: sqlite3.Connection) -> tuple[AlarmRow, ...]:
    """Return the alarms nobody has acknowledged, oldest first."""
    rows = connection.execute(
        "SELECT number, kind, room, door, person, text_en, text_zh, at, seq FROM alarms"
        " WHERE acked_at IS NULL ORDER BY number"
    )
    return tuple(
        AlarmRow(numbered("A", number), kind, place, door, person, Text(en, zh), moment(at), seq)
        for number, kind, place, door, person, en, zh, at, seq in rows
    )


def board_cards(connection: sqlite3.Connection) -> tuple[CardRow, ...]:
    """Return what every board should hold, and what of it is confirmed."""
    rows = connection.execute(
        "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards ORDER BY board, card"
    )
    return tuple(
        CardRow(board, card, wanted, state, Text(en, zh), moment(at)) for board, card, wanted, state, en, zh, at in rows
    )


def room_states(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the stored state of each room's panel, as it was given."""
    return dict(
        connection.execute("SELECT name, state FROM room_states JOIN resources ON key = room WHERE removed_at IS NULL")
    )
