"""Handlers: doors. Their wiring, their keys, and letting somebody in without a badge.

Rules of this file: the protocol of a door is that of its addresses, and a door has one. What needs a reader or a lock
is an entry first, is asked of :class:`agent.rooms.service.DoorServer`, and answered by a ticket. No key passes here.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.door_positions import leaf, panels
from agent.control.handlers.rooms import known, proves, told
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
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()

_WAIT = 30.0  # seconds for what came of a command


class _Wiring(NamedTuple):
    protocol: Protocol
    readers: list[tuple[str, Side]]
    strike: str | None


@handlers.act("door.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, door, wiring = request.args, request.args.text("door"), _wiring(request, None)
    room = known(request, args.text("room")).resource
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
    room = known(request, before.room).resource
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
    return _seen(row, _live(request), panels(request))


@handlers.stream("door.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    live, found = _live(request), panels(request)
    for row in request.site.lists.doors.find(request.args.text("room")):
        yield _seen(row, live, found)


@handlers.act("door.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door = request.args.text("door")
    change.doors.remove(door)
    return told(request, {"door": door})


@handlers.act("door.listen")
def _listen(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    address = request.args.text("address")
    if address:
        parse(f"uhppote://{address}/1/1")  # the same shape, and the same errors
    change.settings.set(LISTENS_AT, address or None)
    return told(request, {"address": address})


@handlers.read("door.test")
def _test(request: HandlerRequest) -> Json:
    door = _door(request, request.args.text("door"))
    state = request.services.doors.state()
    found = [dict(one) for one in state["readers"] if one["door"] == door.name]
    return {"door": door.name, "protocol": door.protocol, "process": state["process"], "readers": found}


@handlers.act("door.open")
def _open(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    door = _door(request, request.args.text("door"))
    request.services.doors.state()  # refused now, if nobody serves them: an entry of what cannot be done misleads
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
    """Return the door and the one OSDP reader on the side asked for; refused while nobody serves the doors."""
    request.services.doors.state()
    door, side = _door(request, request.args.text("door")), request.args.text("side") or "in"
    found = [reader.address for reader in door.readers if reader.side == side]
    said = visible(door.name)
    if door.protocol != "osdp":
        raise RefusedError(
            Text(f"`{said}` has no keys: its wire knows none", f"`{said}` 没有密钥：其线路不支持"),
            Text("keys belong to OSDP readers", "只有 OSDP 读卡器使用密钥"),
        )
    if len(found) != 1:
        raise RefusedError(
            Text(f"`{said}` has {len(found)} readers on that side", f"`{said}` 的该侧有 {len(found)} 个读卡器"),
            Text("one at a time: see `shoumi door show`", "每次一个：参见 `shoumi door show`"),
        )
    return door.name, found[0]


def _wiring(request: HandlerRequest, before: DoorRow | None) -> _Wiring:
    """Read the addresses given, those of *before* where none are; raise :class:`UsageError` for two protocols."""
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
            Text("a door speaks one protocol, and these addresses two", "一扇门只用一种协议，所给地址属于两种"),
            Text("give its readers and its strike together", "请同时给出读卡器和放行设备"),
        )
    if any(boards) and len(set(used)) > 1:
        raise UsageError(
            Text("a door of a board has one address", "控制板的一扇门只有一个地址"),
            Text("give the same address as --reader and --exit-reader", "--reader 与 --exit-reader 请使用同一地址"),
        )
    return _Wiring("uhppote" if any(boards) else "osdp", readers, strike)


def _seen(row: Row, live: list[dict[str, Json]], found: Mapping[str, RoomState]) -> dict[str, Json]:
    """Return a door with its readers as they are now (``live``), whether all answer, and whether it stands open."""
    mine = [one for one in live if one["door"] == row["name"]]
    online = all(one["online"] for one in mine) if mine else None
    panel = found.get(str(row["room"]))
    stands = leaf(panel, str(row["name"]), contact=bool(row["contact"]), online=online)
    return {**row, "live": mine, "online": online, **stands}


def _live(request: HandlerRequest) -> list[dict[str, Json]]:
    """Return what the readers are known to be now; raise ``UnreachableError`` while nobody serves the doors."""
    return [dict(one) for one in request.services.doors.state()["readers"]]


def _checked(request: HandlerRequest, room: str, result: dict[str, Json]) -> HandlerResult:
    """Return what an act came to; once it is in force the doors hear of it, and what is wrong with the room is said."""

    def look() -> dict[str, Json]:
        request.services.doors.changed()
        found = of_room(known(request, room), request.site.facts.doors(), request.site.pack())
        return {"findings": [finding.to_json() for finding in found]}

    return HandlerResult(result, on_ack=look)
