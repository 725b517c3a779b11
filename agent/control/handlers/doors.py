"""Handlers: doors. Wiring, keys, and release without a badge.

Rules of this file: the addresses determine the protocol of a door, and a door has one. A command to a reader or a lock
is recorded first, then sent to :class:`agent.rooms.service.DoorServer`, which returns a ticket. No key passes here.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.door_positions import leaf, panels
from agent.control.handlers.rooms import proves, result_with_notice, room_row
from agent.doctor.room_checks import of_room
from agent.doors.address import Uhppote, parse
from agent.errors import RefusedError, UsageError
from agent.registry.queries.connection import Row
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.doors import DoorRow, Protocol, Side
from agent.registry.rows.settings import LISTENS_AT
from agent.registry.terms import DOOR
from agent.registry.validation import unknown
from agent.rooms.panel.state import RoomState
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()

_WAIT = 30.0  # seconds to wait for the outcome of a command


class _Wiring(NamedTuple):
    protocol: Protocol
    readers: list[tuple[str, Side]]
    strike: str | None


@handlers.act("door.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, door, wiring = request.args, request.args.text("door"), _wiring(request, None)
    room = room_row(request, args.text("room")).resource
    proves(request, room.id, room.level, wiring.protocol)
    change.doors.add(
        door,
        room.id,
        protocol=wiring.protocol,
        readers=wiring.readers,
        strike=wiring.strike or wiring.readers[0][0],
        output=args.number("output", 0) or 0,
        strike_seconds=args.number("seconds", 5) or 0,
        contact=args.text("contact") == "yes",
    )
    return _checked(request, room.id, {"door": door, "room": room.id, "protocol": wiring.protocol})


@handlers.act("door.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, door = request.args, request.args.text("door")
    before = _door(request, door)
    wiring = _wiring(request, before)
    room = room_row(request, before.room).resource
    proves(request, room.id, room.level, wiring.protocol)
    change.doors.set(
        door,
        protocol=wiring.protocol,
        readers=wiring.readers,
        strike=wiring.strike,
        output=args.number("output"),
        strike_seconds=args.number("seconds"),
        contact=args.text("contact") == "yes" if "contact" in args else None,
    )
    return _checked(request, room.id, {"door": door, "room": room.id, "protocol": wiring.protocol})


@handlers.read("door.show")
def _show(request: HandlerRequest) -> Json:
    door = _door(request, request.args.text("door"))
    [row] = request.site.lists.doors.find(door=door.name)
    return _door_json(row, _live(request), panels(request))


@handlers.stream("door.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    live, panel_states = _live(request), panels(request)
    for row in request.site.lists.doors.find(request.args.text("room")):
        yield _door_json(row, live, panel_states)


@handlers.act("door.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door = request.args.text("door")
    change.doors.remove(door)
    return result_with_notice(request, {"door": door})


@handlers.act("door.listen")
def _listen(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    address = request.args.text("address")
    if address:
        parse(f"uhppote://{address}/1/1")  # same syntax and errors
    change.settings.set(LISTENS_AT, address or None)
    return result_with_notice(request, {"address": address})


@handlers.read("door.test")
def _test(request: HandlerRequest) -> Json:
    door = _door(request, request.args.text("door"))
    state = request.services.doors.state()
    readers = [dict(reader) for reader in state["readers"] if reader["door"] == door.name]
    return {"door": door.name, "protocol": door.protocol, "process": state["process"], "readers": readers}


@handlers.act("door.open")
def _open(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door = _door(request, request.args.text("door"))
    request.services.doors.state()  # refused before an entry is written when the doors process does not run
    release = request.services.doors.release
    return HandlerResult({"door": door.name}, on_logged=lambda seq: {"ticket": release(door.name, seq)})


@handlers.act("door.commission")
def _commission(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door, address = _reader(request)
    return HandlerResult(
        {"door": door, "address": address}, on_ack=lambda: {"ticket": request.services.doors.commission(address)}
    )


@handlers.act("door.rotate-key")
def _rotate(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door, address = _reader(request)
    rekey = request.services.doors.rekey
    return HandlerResult({"door": door, "address": address}, on_ack=lambda: {"ticket": rekey(address)})


@handlers.read("door.outcome")
def _outcome(request: HandlerRequest) -> Json:
    ticket = request.args.text("ticket")
    return {"ticket": ticket, **request.services.doors.outcome(ticket, _WAIT).to_json()}


@handlers.stream("door.cards")
def _cards(request: HandlerRequest) -> Iterator[Json]:
    for row in request.site.lists.boards.cards():
        yield row | {"why": {"en": row.pop("why_en"), "zh": row.pop("why_zh")}}


def _door(request: HandlerRequest, name: str) -> DoorRow:
    for row in request.site.facts.doors():
        if row.name == name:
            return row
    raise unknown(DOOR, name, "shoumi door list")


def _reader(request: HandlerRequest) -> tuple[str, str]:
    """Return the door and its only OSDP reader on the given side; refused while the doors process does not run."""
    request.services.doors.state()
    door, side = _door(request, request.args.text("door")), request.args.text("side") or "in"
    addresses = [reader.address for reader in door.readers if reader.side == side]
    shown_door = visible(door.name)
    if door.protocol != "osdp":
        raise RefusedError(
            Message("control.door-has-no-keys", door=shown_door),
            Message("control.keys-need-osdp"),
        )
    if len(addresses) != 1:
        raise RefusedError(
            Message("control.reader-count-mismatch", door=shown_door, count=len(addresses)),
            Message("control.one-reader-at-a-time"),
        )
    return door.name, addresses[0]


def _wiring(request: HandlerRequest, before: DoorRow | None) -> _Wiring:
    """Return the wiring from the arguments, completed from *before*; raise :class:`UsageError` for two protocols."""
    readers: list[tuple[str, Side]] = []
    sides: tuple[tuple[str, Side], ...] = (("reader", "in"), ("exit_reader", "out"))
    for name, side in sides:
        if before is None or name in request.args:
            readers += [(str(parse(address)), side) for address in request.args.texts(name)]
        else:
            readers += [(reader.address, side) for reader in before.readers if reader.side == side]
    strike = str(parse(request.args.text("strike"))) if "strike" in request.args else None
    used = [address for address, _ in readers] + ([strike] if strike else [])
    if strike is None and before is not None:
        used.append(before.strike)
    boards = [isinstance(parse(address), Uhppote) for address in used]
    if any(boards) and not all(boards):
        raise UsageError(
            Message("control.door-protocols-differ"),
            Message("control.readers-and-strike-together"),
        )
    if any(boards) and len(set(used)) > 1:
        raise UsageError(
            Message("control.board-door-one-address"),
            Message("control.same-address-both-sides"),
        )
    return _Wiring("uhppote" if any(boards) else "osdp", readers, strike)


def _door_json(row: Row, live: list[dict[str, Json]], panel_states: Mapping[str, RoomState]) -> dict[str, Json]:
    """Return a door with the state of its readers (``live``), whether all are online, and whether it is open."""
    readers = [reader for reader in live if reader["door"] == row["name"]]
    online = all(reader["online"] for reader in readers) if readers else None
    panel = panel_states.get(str(row["room"]))
    stands = leaf(panel, str(row["name"]), contact=bool(row["contact"]), online=online)
    return {**row, "live": readers, "online": online, **stands}


def _live(request: HandlerRequest) -> list[dict[str, Json]]:
    """Return the state of the readers; raise ``UnreachableError`` while the doors process does not run."""
    return [dict(reader) for reader in request.services.doors.state()["readers"]]


def _checked(request: HandlerRequest, room: str, reply: dict[str, Json]) -> HandlerResult:
    """Return the result of an act; once in force, the doors are notified and the findings of the room returned."""

    def report() -> dict[str, Json]:
        request.services.doors.changed()
        findings = of_room(room_row(request, room), request.site.facts.doors(), request.site.pack())
        return {"findings": [finding.to_json() for finding in findings]}

    return HandlerResult(reply, on_ack=report)
