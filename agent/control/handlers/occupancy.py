"""Handlers: who is inside, alarms, lockdowns.

Rules of this file: who is inside is what badges say, and an officer may know better, which is what a reset is for. A
lockdown takes effect with the act: every verdict from then on knows it, and the doors drop what waits.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.rooms import known, told
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.stream("occupancy.list")
def _inside(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.presence.find(request.args.text("room")))


@handlers.act("occupancy.reset")
def _reset(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room, person = known(request, request.args.text("room")).resource.id, request.args.text("person")
    inside = [one.person for one in request.site.facts.presence(room, person)]
    if person and not inside:
        said = visible(person)
        raise RefusedError(
            Text(f"`{said}` is not inside `{visible(room)}`", f"`{said}` 不在 `{visible(room)}` 内"),
            Text("see `shoumi occupancy list`", "参见 `shoumi occupancy list`"),
        )
    for one in inside:
        change.presence.leave(room, one)
    return told(request, {"room": room, "persons": inside})


@handlers.stream("alarm.list")
def _alarms(request: HandlerRequest) -> Iterator[Json]:
    rows = request.site.lists.alarms.find(request.args.text("room"), acknowledged=request.args.flag("all"))
    for row in rows:
        yield row | {"text": {"en": row.pop("text_en"), "zh": row.pop("text_zh")}}


@handlers.act("alarm.ack")
def _ack(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    alarm = request.args.text("alarm")
    kind = change.alarms.acknowledge(alarm, by=request.officer(), note=request.args.text("note"))
    return told(request, {"alarm": alarm, "kind": kind})


@handlers.act("lockdown.on")
def _lock(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = request.args.text("room")
    number = change.lockdowns.add(room, reason=request.args.text("reason"), by=request.officer())
    return told(request, {"lockdown": number, "room": room})


@handlers.act("lockdown.off")
def _lift(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = request.args.text("room")
    number = change.lockdowns.lift(room, reason=request.args.text("reason"), by=request.officer())
    others = [one.room for one in request.site.facts.lockdowns() if one.room != room]
    return told(request, {"lockdown": number, "room": room, "still": others})


@handlers.stream("lockdown.list")
def _lockdowns(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.lockdowns.find(lifted=request.args.flag("all")))
