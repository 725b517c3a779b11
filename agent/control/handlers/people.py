"""Handlers: people, accounts, badges, records."""

from collections.abc import Callable, Iterator

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.papers import paper, written
from agent.control.handlers.quarantine import waiting_for
from agent.control.handlers.what_if import clearances
from agent.control.two_hands import on_host
from agent.errors import RefusedError, UsageError
from agent.registry.csv_import import import_csv, read_csv
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.badges import as_read
from agent.registry.terms import ACCOUNT, BADGE
from rules.model import Clearance, Employment, Level
from rules.pack.reader import Pack
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()

_SYSTEM_COLUMNS = frozenset({"accounts", "badges"})
_NEUTRAL_COLUMNS = frozenset({"id", "name"})


@handlers.act("person.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = request.args, request.args.text("person")
    signed = paper(request, "approved_by")
    change.people.add(
        person,
        name=args.text("name"),
        department=args.text("department"),
        post=args.text("post"),
        projects=args.texts("project"),
        employment=Employment(args.text("employment") or Employment.REGULAR),
        clearances=_levels(request),
        paper=signed,
    )
    if "heads" in args:
        change.people.set(person, heads=args.text("heads"))
    for uid in args.numbers("account"):
        change.accounts.add(uid, person, on_host=on_host(uid))
    for number in args.texts("badge"):
        change.badges.add(number, person)
    return HandlerResult({"person": person, "quarantined": waiting_for(request.site.home, person)}, written(signed))


@handlers.act("person.set")
def _set(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = request.args, request.args.text("person")
    if args.flag("active") and args.flag("inactive"):
        raise UsageError(Text("active or inactive, not both", "不能同时启用和停用"))
    change.people.set(
        person,
        name=args.maybe("name"),
        department=args.maybe("department"),
        post=args.maybe("post"),
        projects=args.texts("project") or None,
        employment=Employment(args.text("employment")) if "employment" in args else None,
        active=args.flag("active") if args.flag("active") or args.flag("inactive") else None,
        heads=args.maybe("heads"),
    )
    if args.flag("post_changed"):
        change.people.change_post(person)
    signed = paper(request, "approved_by")
    for clearance in _levels(request):
        change.people.set_clearance(person, clearance, signed)
    return HandlerResult({"person": person}, written(signed))


@handlers.act("person.import")
def _import(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    text = request.args.text("csv")
    rows = read_csv(text)
    columns = frozenset(name for row in rows for name, value in row.fields.items() if value)
    if columns & _SYSTEM_COLUMNS:
        request.need(Role.SYSTEM)
    if columns - _SYSTEM_COLUMNS - _NEUTRAL_COLUMNS:
        request.need(Role.SECURITY)
    levels, update = level_reader(request.site.pack()), request.args.flag("update")
    done = import_csv(change, rows, approved_by=request.officer(), level_of=levels, update=update)
    # An account may be the second hand of whoever binds it.
    return HandlerResult(done._asdict(), request.digest("csv"), gives=bool(columns & _SYSTEM_COLUMNS))


def _levels(request: HandlerRequest) -> tuple[Clearance, ...]:
    """Return the levels given, or the one the pack maps the printed class of ``--label`` to."""
    args, approved_by = request.args, request.officer()
    label, domain = args.text("label"), args.text("domain")
    if label and domain and "level" not in args:
        level = request.site.pack().level_of(label, domain)
        if level is None:
            said = visible(label)
            raise RefusedError(
                Text(
                    f"the pack maps no `{said}` in `{visible(domain)}`", f"规则包在 `{visible(domain)}` 中没有 `{said}`"
                ),
                Text("add --level", "请加 --level"),
            )
        return (Clearance(domain, level, label, approved_by),)
    return tuple(_known(request, clearance) for clearance in clearances(args, approved_by))


def _known(request: HandlerRequest, clearance: Clearance) -> Clearance:
    known_domain(request, clearance.domain)
    return clearance


def known_domain(request: HandlerRequest, domain: str) -> None:
    """Raise :class:`RefusedError` for a domain the pack in force does not have: nothing would ever open there."""
    known = request.site.pack().domains
    if domain not in known:
        said, right = visible(domain), ", ".join(known)
        raise RefusedError(
            Text(f"the pack knows no domain `{said}`", f"规则包中没有秘密种类 `{said}`"),
            Text(f"one of: {right}", f"可选：{right}"),
        )


def level_reader(pack: Pack) -> Callable[[str], Level]:
    """Return what reads a level: its word, or a printed class (核心 …) the pack maps to one level in every domain."""

    def read_level(word: str) -> Level:
        mapped = {level for domain in pack.domains if (level := pack.level_of(word, domain)) is not None}
        return mapped.pop() if len(mapped) == 1 else Level.parse(word)

    return read_level


@handlers.read("person.show")
def _show(request: HandlerRequest) -> Json:
    return request.site.lists.people.dossier(request.args.text("person"))


@handlers.stream("person.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.people.find(text=request.args.text("search")))


@handlers.act("account.add")
def _account_add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    uid, person = request.args.number("uid"), request.args.text("person")
    assert uid is not None
    change.accounts.add(uid, person, allow_system=request.args.flag("allow_system"), on_host=on_host(uid))
    return HandlerResult({"person": person, "uid": uid})


@handlers.act("account.remove")
def _account_remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    uid = request.args.number("uid")
    assert uid is not None
    _theirs(change.accounts.remove(uid), request, ACCOUNT, str(uid))
    return HandlerResult({"person": request.args.text("person"), "uid": uid})


@handlers.stream("account.list")
def _account_list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.accounts.find(request.args.text("person")))


@handlers.act("badge.add")
def _badge_add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, number, person = request.args, as_read(request.args.text("number")), request.args.text("person")
    change.badges.add(
        number, person, until=args.instant("until"), facility=args.number("facility"), bits=args.number("bits")
    )
    return HandlerResult({"person": person, "number": number}, on_ack=_tell(request))


@handlers.act("badge.remove")
def _badge_remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    number = as_read(request.args.text("number"))
    _theirs(change.badges.remove(number), request, BADGE, number)
    return HandlerResult({"person": request.args.text("person"), "number": number}, on_ack=_tell(request))


@handlers.act("badge.lost")
def _badge_lost(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    number = as_read(request.args.text("number"))
    _theirs(change.badges.mark_lost(number), request, BADGE, number)
    return HandlerResult({"person": request.args.text("person"), "number": number}, on_ack=_tell(request))


@handlers.stream("badge.list")
def _badge_list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.badges.find(request.args.text("person"), returned=request.args.flag("all")))


@handlers.act("record.add")
def _record_add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, kind = request.args, request.args.text("kind")
    known = request.site.pack().records
    if known and kind not in known:
        kinds = ", ".join(known)
        said = visible(kind)
        raise RefusedError(
            Text(f"the pack knows no record kind `{said}`", f"规则包中没有档案种类 `{said}`"),
            Text(f"one of: {kinds}", f"可选：{kinds}"),
        )
    record = change.records.add(
        args.text("person"),
        kind,
        on=args.instant("on") or request.at,
        passed=not args.flag("failed"),
        valid_until=args.instant("valid_until"),
        topic=args.text("topic"),
    )
    return HandlerResult({"record": record, "person": args.text("person"), "kind": kind})


@handlers.stream("record.list")
def _record_list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.records.find(request.args.text("person")))


@handlers.act("record.void")
def _record_void(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    record = request.args.text("record")
    return HandlerResult({"record": record, "person": change.records.void(record, reason=request.args.text("reason"))})


def _tell(request: HandlerRequest) -> Callable[[], dict[str, Json]]:
    def told() -> dict[str, Json]:
        request.services.doors.changed()
        return {}

    return told


def _theirs(owner: str, request: HandlerRequest, what: Text, name: str) -> None:
    """Refuse, and so undo, taking something from another person than was named."""
    if owner != request.args.text("person"):
        said, whose = visible(name), visible(owner)
        raise RefusedError(
            Text(f"{what.en} `{said}` belongs to `{whose}`", f"{what.zh} `{said}` 属于 `{whose}`"),
            Text("name the person it belongs to", "请写明其所属人员"),
        )
