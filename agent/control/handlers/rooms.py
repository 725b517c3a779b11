"""Handlers: rooms. Their rules, their contents, their occupants.

Rules of this file: a room's level is never below its contents (the registry checks that), and from the level in the
pack's ``[wire]`` on it has no door with an unauthenticated protocol. An act notifies the doors once it is in force.
"""

from collections.abc import Iterator
from dataclasses import replace

from agent.api.operations.room_fields import changed
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.areas import hours, scope
from agent.control.handlers.door_positions import panels
from agent.control.handlers.people import known_domain
from agent.errors import RefusedError
from agent.registry.columns import KEEP
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.rooms import RoomRow
from agent.registry.rows.settings import HOST_ROOM
from agent.registry.terms import ROOM
from agent.registry.validation import unknown
from rules.loosening import settings_loosened
from rules.model import Level, RoomRules, RoomSettings, Scope
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("room.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, name = request.args, request.args.text("room")
    known_domain(request, args.text("domain"))
    level = args.level("level")
    assert level is not None
    change.rooms.add(
        name,
        level=level,
        domain=args.text("domain"),
        scope=scope(args) or Scope(),
        custodian=args.text("custodian"),
        secret_until=args.instant("secret_until"),
        hours=hours(request),
        rules=changed(RoomRules(), args),
        settings=changed(RoomSettings(), args),
    )
    for area in args.texts("keep"):
        change.contents.add(area, name)
    return result_with_notice(request, {"room": name, "level": level.word})


@handlers.act("room.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, row = request.args, room_row(request, request.args.text("room"))
    name = row.resource.id
    if "domain" in args:
        known_domain(request, args.text("domain"))
    for area in args.texts("unkeep"):
        change.contents.remove(area, name)
    level = args.level("level")
    if level is not None:
        for door in request.site.facts.doors():
            if door.room == name:
                proves(request, name, level, door.protocol)
    settings = changed(row.settings, args)
    change.rooms.set(
        name,
        changed(row.resource.room or RoomRules(), args),
        settings,
        level=level,
        domain=args.maybe("domain"),
        scope=scope(args),
        custodian=args.maybe("custodian"),
        secret_until=args.instant("secret_until") if "secret_until" in args else KEEP,
        hours=hours(request) if "hours" in args else None,
    )
    for area in args.texts("keep"):
        change.contents.add(area, name)
    return replace(result_with_notice(request, {"room": name}), gives=settings_loosened(row.settings, settings))


@handlers.read("room.show")
def _show(request: HandlerRequest) -> Json:
    name = room_row(request, request.args.text("room")).resource.id
    [row] = request.site.lists.rooms.find(name)
    return {
        **row,
        "doors": [door["name"] for door in request.site.lists.doors.find(name)],
        "inside": request.site.lists.presence.find(name),
        "unseen": panel.unseen if (panel := panels(request).get(name)) else 0,
        "alarms": len(request.site.lists.alarms.find(name)),
        "locked": [lockdown.reason for lockdown in request.site.facts.lockdowns() if lockdown.room in ("", name)],
        "here": request.site.facts.host_room() == name,
    }


@handlers.stream("room.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    lists = request.site.lists
    locked = {entry.room for entry in request.site.facts.lockdowns()}
    inside = lists.presence.find()
    for row in lists.rooms.find():
        name = row["name"]
        count = sum(entry["room"] == name for entry in inside)
        yield row | {
            "inside": count,
            "locked": "" in locked or name in locked,
            "doors": len(lists.doors.find(str(name))),
        }


@handlers.act("room.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = room_row(request, request.args.text("room")).resource.id
    if inside := sorted(occupant.person for occupant in request.site.facts.presence(name)):
        names = ", ".join(f"`{visible(occupant)}`" for occupant in inside[:3])
        raise RefusedError(
            Message("control.people-may-be-inside", persons=names),
            Message("control.reset-occupancy"),
        )
    if request.site.facts.host_room() == name:
        change.settings.set(HOST_ROOM, None)
    return result_with_notice(request, {"room": name, "grants_ended": change.rooms.remove(name)})


@handlers.act("room.host")
def _host(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = request.args.text("room")
    if name:
        room_row(request, name)
    change.settings.set(HOST_ROOM, name or None)
    return HandlerResult({"room": name})


def room_row(request: HandlerRequest, name: str) -> RoomRow:
    """Return the room of this name; raise :class:`RefusedError` when there is none."""
    row = request.site.facts.room(name)
    if row is None:
        raise unknown(ROOM, name, "shoumi room list")
    return row


def result_with_notice(request: HandlerRequest, reply: dict[str, Json]) -> HandlerResult:
    """Return the result of an act; the doors are notified once it is in force."""

    def tell() -> dict[str, Json]:
        request.services.doors.changed()
        return {}

    return HandlerResult(reply, on_ack=tell)


def proves(request: HandlerRequest, room: str, level: Level, protocol: str) -> None:
    """Refuse a door with an unauthenticated protocol for a room at or above the level in the pack's ``[wire]``."""
    rule = request.site.pack().wire
    if protocol == "uhppote" and rule and level >= rule.from_level:
        name, level_text = visible(room), level.text
        raise RefusedError(
            Message("control.board-not-allowed-for-level", room=name, level=level_text),
            Message("control.use-osdp"),
        )
