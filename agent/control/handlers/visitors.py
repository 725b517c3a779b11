"""Handlers: visitors, declarations before entry, and PINs.

Rules of this file: a visit, its visitor and their badge are one act, so that none exists without the others. Without an
end a visit lasts until the end of the day on the host's clock, as every date of the command line.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.rooms import result_with_notice, room_row
from agent.errors import RefusedError, UsageError
from agent.registry.columns import instant
from agent.registry.queries.connection import Row
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.badges import as_read
from agent.registry.terms import VISIT
from agent.registry.validation import unknown
from rules.model import Employment, Level
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("visitor.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = request.args, request.args.text("person")
    place = room_row(request, args.text("room")).resource
    room, until = place.id, args.instant("until") or _end_of_day(args.instant("since") or request.at)
    _taken(request, place.level, until)
    if not _registered(request, person):
        change.people.add(person, name=args.text("name"), employment=Employment.VISITOR)
    badge = as_read(args.text("badge"))
    if badge:
        change.badges.add(badge, person, until=until)
    visit = change.visits.add(
        person,
        room,
        host=args.text("host"),
        escort=args.maybe("escort") or args.text("host"),
        purpose=args.text("purpose"),
        since=args.instant("since"),
        until=until,
        badge=badge,
        by=request.officer(),
    )
    return result_with_notice(request, {"visit": visit, "person": person, "room": room, "until": instant(until)})


@handlers.stream("visitor.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    now = "" if request.args.flag("all") else instant(request.at)
    return iter(request.site.lists.visits.find(request.args.text("person"), room=request.args.text("room"), now=now))


@handlers.act("visitor.exit")
def _exit(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    """End every visit of a visitor who has left; their badges are returned or lost."""
    lost, person, running = request.args.flag("badge_lost"), *_running(request)
    for visit in running:
        change.visits.leave(str(visit["id"]), by=request.officer())
    visit_badges = {visit["badge"] for visit in running}
    badges = [str(row["number"]) for row in request.site.lists.badges.find(person) if row["number"] in visit_badges]
    for badge in badges:
        (change.badges.mark_lost if lost else change.badges.remove)(badge)
    for room in dict.fromkeys(str(visit["room"]) for visit in running):
        change.presence.leave(room, person)
    visits = [visit["id"] for visit in running]
    reply = {"visits": visits, "person": person, "badges": badges, "badge_lost": lost and bool(badges)}
    return replace(result_with_notice(request, reply), log_fields={"person": person})


@handlers.act("visitor.end")
def _end(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person, running = _running(request)
    named, visits = request.args.text("visit"), [str(visit["id"]) for visit in running]
    ended = [named] if named in visits else visits
    for visit in ended:
        change.visits.end(visit, by=request.officer())
    rooms = {visit["room"] for visit in running if visit["id"] in ended}
    inside = [presence.room for presence in request.site.facts.presence(person=person) if presence.room in rooms]
    return result_with_notice(request, {"visits": ended, "person": person, "inside": inside})


@handlers.act("declaration.add")
def _declare(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = request.args
    if args.flag("no_devices") and "devices" in args:
        raise UsageError(Message("control.devices-or-none"))
    until = args.instant("until") or _end_of_day(args.instant("since") or request.at)
    number = change.declarations.add(
        args.text("person"),
        args.text("room"),
        until=until,
        since=args.instant("since"),
        purpose=args.text("purpose"),
        devices="" if args.flag("no_devices") else args.maybe("devices"),
        by=request.officer(),
    )
    return HandlerResult(
        {"declaration": number, "person": args.text("person"), "room": args.text("room"), "until": instant(until)}
    )


@handlers.stream("declaration.list")
def _declarations(request: HandlerRequest) -> Iterator[Json]:
    now = "" if request.args.flag("all") else instant(request.at)
    return iter(
        request.site.lists.declarations.find(request.args.text("person"), room=request.args.text("room"), now=now)
    )


@handlers.act("declaration.end")
def _end_declaration(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    declaration = request.args.text("declaration")
    return HandlerResult({"declaration": declaration, "person": change.declarations.end(declaration)})


@handlers.act("pin.set")
def _set_pin(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person = request.args.text("person")
    change.pins.set(person, request.args.text("pin"), request.args.text("duress"))
    return HandlerResult({"person": person, "duress": "duress" in request.args})


@handlers.act("pin.remove")
def _remove_pin(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person = request.args.text("person")
    change.pins.remove(person)
    return HandlerResult({"person": person})


@handlers.stream("pin.list")
def _pins(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.pins.find(request.args.text("person")))


def _registered(request: HandlerRequest, person: str) -> bool:
    """Return whether *person* is registered, from an earlier visit or as a person of the site who needs an escort."""
    return any(row["id"] == person for row in request.site.lists.people.find(text=person))


def _running(request: HandlerRequest) -> tuple[str, list[Row]]:
    """Return the visitor, given by id or by one of their visits, and their visits that are not over."""
    named = request.args.text("visit")
    rows = request.site.lists.visits.find()
    person = next((str(row["person"]) for row in rows if named in (row["id"], row["person"])), None)
    if person is None:
        raise unknown(VISIT, named, "shoumi visitor list")
    running = [row for row in rows if row["person"] == person and row["left_at"] is None]
    if not running:
        shown_person = visible(person)
        raise RefusedError(
            Message("control.visitor-has-left", person=shown_person),
            Message("common.see-shoumi-visitor-list-all"),
        )
    return person, running


def _taken(request: HandlerRequest, level: Level, until: datetime) -> None:
    """Refuse a visit that the pack would deny at the door, so that the registering officer learns of it first."""
    rule, begins = request.site.pack().visit, request.args.instant("since") or request.at
    if rule is None:
        raise RefusedError(
            Message("control.pack-without-visitors"),
            Message("control.enable-visitors-in-pack"),
        )
    if level > rule.max_level:
        highest = rule.max_level.text
        raise RefusedError(
            Message("control.visitor-level-too-high", level=level.text),
            Message("control.visitor-level-limit", level=highest),
        )
    if until - begins > timedelta(days=rule.max_days):
        raise RefusedError(
            Message("control.visit-too-long"),
            Message("control.visit-days-limit", count=rule.max_days),
        )


def _end_of_day(moment: datetime) -> datetime:
    """Return the next midnight after *moment* on the host's clock."""
    local_time = moment.astimezone()
    return datetime.combine(local_time.date() + timedelta(days=1), time()).astimezone(UTC)
