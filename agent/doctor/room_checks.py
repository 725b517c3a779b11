"""Checks of ``doctor`` on rooms and doors: the decisions of officers against the abilities of the doors.

Rules of this file: as :mod:`agent.doctor.registry_checks`: reading only. The door service reports whether readers
answer.
"""

from collections.abc import Iterable, Iterator, Sequence

from agent.api.findings import Finding
from agent.registry.facts import FactsReader
from agent.registry.rows.doors import DoorRow
from agent.registry.rows.rooms import RoomRow
from rules.checks.room import passback
from rules.model import Passback
from rules.pack.reader import Pack
from rules.text import Message
from rules.visible import visible


def rooms(facts: FactsReader, pack: Pack) -> Iterator[Finding]:
    """Yield the inconsistencies of rooms and doors; nothing when the site has no rooms."""
    with facts.snapshot():
        room_rows, doors = facts.rooms(), facts.doors()
        alarms, pending = facts.open_alarms(), [card for card in facts.board_cards() if card.state == "pending"]
        lockdowns = facts.lockdowns()
    for row in room_rows:
        yield from of_room(row, doors, pack)
    if pending:
        boards = ", ".join(dict.fromkeys(visible(card.board) for card in pending))
        yield Finding(
            "serious",
            "board-cards",
            Message("doctor.board-cards-unconfirmed", count=len(pending), boards=boards),
            Message("doctor.check-boards"),
        )
    if alarms:
        text = Message("doctor.open-alarms", count=len(alarms))
        yield Finding("warning", "alarms", text, Message("doctor.shoumi-alarm-list"))
    for lockdown in lockdowns:
        place = visible(lockdown.room)
        text = Message("doctor.room-locked-down", room=place) if place else Message("doctor.site-locked-down")
        yield Finding("warning", "lockdown", text)
    if room_rows:
        text = Message("doctor.rooms-doors", count=len(room_rows), doors=len(doors))
        yield Finding("good", "rooms", text)


def of_room(row: RoomRow, doors: Iterable[DoorRow], pack: Pack) -> Iterator[Finding]:
    """Yield the inconsistencies of one room and its *doors*."""
    room_doors = [door for door in doors if door.room == row.resource.id]
    yield from _supervision(row, room_doors, pack)
    yield from _wires(row, room_doors, pack)
    for door in room_doors:
        yield from _keys(door)


def _supervision(row: RoomRow, doors: Sequence[DoorRow], pack: Pack) -> Iterator[Finding]:
    name, room_rules = visible(row.resource.id), row.resource.room
    strict = passback(row.resource, pack) is not Passback.NONE
    counts = room_rules and (room_rules.occupancy_limit or room_rules.two_person or strict)
    blind = [door.name for door in doors if not any(reader.side == "out" for reader in door.readers)]
    if counts and blind:
        which = ", ".join(map(visible, blind))
        yield Finding(
            "warning",
            "no-exit-reader",
            Message("doctor.no-exit-reader", name=name, doors=which),
            Message("doctor.add-exit-reader", name=name),
        )
    silent = [door.name for door in doors if not door.contact]
    if silent:
        which = ", ".join(map(visible, silent))
        yield Finding(
            "warning",
            "no-contact",
            Message("doctor.no-door-contact", doors=which, name=name),
            Message("doctor.add-contact"),
        )


def _wires(row: RoomRow, doors: Sequence[DoorRow], pack: Pack) -> Iterator[Finding]:
    bare = [visible(door.name) for door in doors if door.protocol == "uhppote"]
    if not bare:
        return
    name, which, rule = visible(row.resource.id), ", ".join(bare), pack.wire
    if rule and row.resource.level >= rule.from_level:
        yield Finding(
            "serious",
            "wire",
            Message("doctor.wire-unauthenticated-closed", name=name, text=row.resource.level.text, doors=which),
            Message("doctor.use-osdp-readers"),
        )
    else:
        yield Finding(
            "warning",
            "wire",
            Message("doctor.wire-unauthenticated", doors=which),
            Message("doctor.use-separate-network"),
        )


def _keys(door: DoorRow) -> Iterator[Finding]:
    lacking = [reader.address for reader in door.readers if door.protocol == "osdp" and not reader.key]
    if lacking:
        name, shown_addresses = visible(door.name), ", ".join(map(visible, lacking))
        yield Finding(
            "serious",
            "no-key",
            Message("doctor.reader-without-key", name=name, addresses=shown_addresses),
            Message("doctor.shoumi-door-commission", name=name),
        )
