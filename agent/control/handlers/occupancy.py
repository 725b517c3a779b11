"""Handlers: who is inside, alarms, lockdowns.

Rules of this file: who is inside is what badges say, and an officer may know better, which is what a reset is for. A
lockdown takes effect with the act: every verdict from then on knows it, and the doors drop what waits.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, stream
from agent.control.handlers.rooms import known, told
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text
from rules.visible import visible


@stream("occupancy.list")
def _inside(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.presence.find(ask.args.text("room")))


@act("occupancy.reset")
def _reset(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room, person = known(ask, ask.args.text("room")).resource.id, ask.args.text("person")
    inside = [one.person for one in ask.desk.facts.presence(room, person)]
    if person and not inside:
        said = visible(person)
        raise RefusedError(
            Text(f"`{said}` is not inside `{visible(room)}`", f"`{said}` 不在 `{visible(room)}` 内"),
            Text("see `shoumi occupancy list`", "参见 `shoumi occupancy list`"),
        )
    for one in inside:
        change.presence.leave(room, one)
    return told(ask, {"room": room, "persons": inside})


@stream("alarm.list")
def _alarms(ask: HandlerRequest) -> Iterator[Json]:
    rows = ask.desk.lists.alarms.find(ask.args.text("room"), acknowledged=ask.args.flag("all"))
    for row in rows:
        yield row | {"text": {"en": row.pop("text_en"), "zh": row.pop("text_zh")}}


@act("alarm.ack")
def _ack(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    alarm = ask.args.text("alarm")
    kind = change.alarms.acknowledge(alarm, by=ask.officer(), note=ask.args.text("note"))
    return told(ask, {"alarm": alarm, "kind": kind})


@act("lockdown.on")
def _lock(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = ask.args.text("room")
    number = change.lockdowns.add(room, reason=ask.args.text("reason"), by=ask.officer())
    return told(ask, {"lockdown": number, "room": room})


@act("lockdown.off")
def _lift(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    room = ask.args.text("room")
    number = change.lockdowns.lift(room, reason=ask.args.text("reason"), by=ask.officer())
    others = [one.room for one in ask.desk.facts.lockdowns() if one.room != room]
    return told(ask, {"lockdown": number, "room": room, "still": others})


@stream("lockdown.list")
def _lockdowns(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.lockdowns.find(lifted=ask.args.flag("all")))
