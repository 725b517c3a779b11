"""Handlers: visitors, what people state before they enter, and PINs.

Rules of this file: a visit, its visitor and his badge are one act, so that none of them is there without the others.
What has no end given ends with the day, on the host's clock, as every date of the command line.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.rooms import known, told
from agent.errors import RefusedError, UsageError
from agent.registry.columns import instant
from agent.registry.queries.connection import Row
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.badges import as_read
from agent.registry.terms import VISIT
from agent.registry.validation import unknown
from rules.model import Employment, Level
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("visitor.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = request.args, request.args.text("person")
    place = known(request, args.text("room")).resource
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
    return told(request, {"visit": visit, "person": person, "room": room, "until": instant(until)})


@handlers.stream("visitor.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    now = "" if request.args.flag("all") else instant(request.at)
    return iter(request.site.lists.visits.find(request.args.text("person"), room=request.args.text("room"), now=now))


@handlers.act("visitor.exit")
def _exit(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    """Whoever has left has left every room: all his visits are over, and every badge given for them is back or lost."""
    lost, person, running = request.args.flag("badge_lost"), *_running(request)
    for visit in running:
        change.visits.leave(str(visit["id"]), by=request.officer())
    given = {visit["badge"] for visit in running}
    badges = [str(row["number"]) for row in request.site.lists.badges.find(person) if row["number"] in given]
    for badge in badges:
        (change.badges.mark_lost if lost else change.badges.remove)(badge)
    for room in dict.fromkeys(str(visit["room"]) for visit in running):
        change.presence.leave(room, person)
    visits = [visit["id"] for visit in running]
    result = {"visits": visits, "person": person, "badges": badges, "badge_lost": lost and bool(badges)}
    return replace(told(request, result), log_fields={"person": person})


@handlers.act("visitor.end")
def _end(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person, running = _running(request)
    named, visits = request.args.text("visit"), [str(visit["id"]) for visit in running]
    ended = [named] if named in visits else visits
    for visit in ended:
        change.visits.end(visit, by=request.officer())
    rooms = {visit["room"] for visit in running if visit["id"] in ended}
    inside = [one.room for one in request.site.facts.presence(person=person) if one.room in rooms]
    return told(request, {"visits": ended, "person": person, "inside": inside})


@handlers.act("declaration.add")
def _declare(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = request.args
    if args.flag("no_devices") and "devices" in args:
        raise UsageError(Text("devices or none, not both", "不能既申报设备又称未携带"))
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
    """Whether *person* is known: from an earlier visit, or as somebody of the site who may not enter by himself."""
    return any(row["id"] == person for row in request.site.lists.people.find(text=person))


def _running(request: HandlerRequest) -> tuple[str, list[Row]]:
    """Return the visitor named, by himself or by one of his visits, and the visits he has not left."""
    word = request.args.text("visit")
    rows = request.site.lists.visits.find()
    person = next((str(row["person"]) for row in rows if word in (row["id"], row["person"])), None)
    if person is None:
        raise unknown(VISIT, word, "shoumi visitor list")
    running = [row for row in rows if row["person"] == person and row["left_at"] is None]
    if not running:
        said = visible(person)
        raise RefusedError(
            Text(f"`{said}` has left", f"`{said}` 已离开"),
            Text("see `shoumi visitor list --all`", "参见 `shoumi visitor list --all`"),
        )
    return person, running


def _taken(request: HandlerRequest, level: Level, until: datetime) -> None:
    """Refuse a visit the pack would not count at the door: who registers it should hear of it, not the visitor."""
    rule, begins = request.site.pack().visit, request.args.instant("since") or request.at
    if rule is None:
        raise RefusedError(
            Text("the pack in force takes no visitors", "生效的规则包不接待来访"),
            Text(
                "put [visit] in the pack, then: shoumi pack use FILE",
                "请在规则包中加入 [visit]，再运行 shoumi pack use FILE",
            ),
        )
    if level > rule.max_level:
        highest = rule.max_level.text
        raise RefusedError(
            Text(f"visitors do not reach {level.text.en}", f"来访不适用于{level.text.zh}场所"),
            Text(f"the pack takes them up to {highest.en}", f"规则包允许至{highest.zh}"),
        )
    if until - begins > timedelta(days=rule.max_days):
        raise RefusedError(
            Text("the visit runs longer than the pack takes", "来访超过规则包允许的最长期限"),
            Text(f"{rule.max_days} days at most", f"最长 {rule.max_days} 天"),
        )


def _end_of_day(moment: datetime) -> datetime:
    """Return the midnight that follows *moment* on the host's clock."""
    here = moment.astimezone()
    return datetime.combine(here.date() + timedelta(days=1), time()).astimezone(UTC)
