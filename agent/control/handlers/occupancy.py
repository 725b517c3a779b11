"""Handlers: occupancy, alarms, lockdowns.

Rules of this file: occupancy follows badge reads; an officer corrects it with a reset. A lockdown takes effect with the
act: it applies to every verdict from then on, and the doors drop pending releases.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.rooms import result_with_notice, room_row
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.stream("occupancy.list")
def _inside(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.presence.find(request.args.text("room")))


@handlers.act("occupancy.reset")
def _reset(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room, person = room_row(request, request.args.text("room")).resource.id, request.args.text("person")
    inside = [occupant.person for occupant in request.site.facts.presence(room, person)]
    if person and not inside:
        shown_person = visible(person)
        raise RefusedError(
            Message("control.person-not-inside", person=shown_person, room=room),
            Message("control.see-occupancy-list"),
        )
    for occupant in inside:
        change.presence.leave(room, occupant)
    return result_with_notice(request, {"room": room, "persons": inside})


@handlers.stream("alarm.list")
def _alarms(request: HandlerRequest) -> Iterator[Json]:
    rows = request.site.lists.alarms.find(request.args.text("room"), acknowledged=request.args.flag("all"))
    for row in rows:
        yield row | {"text": {"en": row.pop("text_en"), "zh": row.pop("text_zh")}}


@handlers.act("alarm.ack")
def _ack(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    alarm = request.args.text("alarm")
    kind = change.alarms.acknowledge(alarm, by=request.officer(), note=request.args.text("note"))
    return result_with_notice(request, {"alarm": alarm, "kind": kind})


@handlers.act("lockdown.on")
def _lock(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = request.args.text("room")
    number = change.lockdowns.add(room, reason=request.args.text("reason"), by=request.officer())
    return result_with_notice(request, {"lockdown": number, "room": room})


@handlers.act("lockdown.off")
def _lift(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = request.args.text("room")
    number = change.lockdowns.lift(room, reason=request.args.text("reason"), by=request.officer())
    still_locked = [lockdown.room for lockdown in request.site.facts.lockdowns() if lockdown.room != room]
    return result_with_notice(request, {"lockdown": number, "room": room, "still": still_locked})


@handlers.stream("lockdown.list")
def _lockdowns(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.lockdowns.find(lifted=request.args.flag("all")))
