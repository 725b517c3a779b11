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
from rules.text import Message, Sentence
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
        raise UsageError(Message("control.active-or-inactive"))
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
    columns = frozenset(name for row in rows for name, cell in row.fields.items() if cell)
    if columns & _SYSTEM_COLUMNS:
        request.need(Role.SYSTEM)
    if columns - _SYSTEM_COLUMNS - _NEUTRAL_COLUMNS:
        request.need(Role.SECURITY)
    levels, update = level_reader(request.site.pack()), request.args.flag("update")
    imported = import_csv(change, rows, approved_by=request.officer(), level_of=levels, update=update)
    # An account may belong to the second officer of the one who binds it.
    return HandlerResult(imported._asdict(), request.digest("csv"), gives=bool(columns & _SYSTEM_COLUMNS))


def _levels(request: HandlerRequest) -> tuple[Clearance, ...]:
    """Return the levels given, or the level that the pack assigns to the printed class in ``--label``."""
    args, approved_by = request.args, request.officer()
    label, domain = args.text("label"), args.text("domain")
    if label and domain and "level" not in args:
        level = request.site.pack().level_of(label, domain)
        if level is None:
            shown_label = visible(label)
            raise RefusedError(
                Message("control.class-not-in-pack", label=shown_label, domain=domain),
                Message("control.add-level"),
            )
        return (Clearance(domain, level, label, approved_by),)
    return tuple(_in_known_domain(request, clearance) for clearance in clearances(args, approved_by))


def _in_known_domain(request: HandlerRequest, clearance: Clearance) -> Clearance:
    known_domain(request, clearance.domain)
    return clearance


def known_domain(request: HandlerRequest, domain: str) -> None:
    """Raise :class:`RefusedError` for a domain missing in the pack: no access would ever be allowed."""
    domains = request.site.pack().domains
    if domain not in domains:
        shown_domain, allowed = visible(domain), ", ".join(domains)
        raise RefusedError(
            Message("control.domain-not-in-pack", domain=shown_domain),
            Message("control.one-of", options=allowed),
        )


def level_reader(pack: Pack) -> Callable[[str], Level]:
    """Return a parser of levels: a code, or a printed class (核心 …) that the pack maps to one level."""

    def read_level(text: str) -> Level:
        mapped = {level for domain in pack.domains if (level := pack.level_of(text, domain)) is not None}
        return mapped.pop() if len(mapped) == 1 else Level.parse(text)

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
    _require_owner(change.accounts.remove(uid), request, ACCOUNT, str(uid))
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
    _require_owner(change.badges.remove(number), request, BADGE, number)
    return HandlerResult({"person": request.args.text("person"), "number": number}, on_ack=_tell(request))


@handlers.act("badge.lost")
def _badge_lost(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    number = as_read(request.args.text("number"))
    _require_owner(change.badges.mark_lost(number), request, BADGE, number)
    return HandlerResult({"person": request.args.text("person"), "number": number}, on_ack=_tell(request))


@handlers.stream("badge.list")
def _badge_list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.badges.find(request.args.text("person"), returned=request.args.flag("all")))


@handlers.act("record.add")
def _record_add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, kind = request.args, request.args.text("kind")
    record_kinds = request.site.pack().records
    if record_kinds and kind not in record_kinds:
        kinds = ", ".join(record_kinds)
        shown_kind = visible(kind)
        raise RefusedError(
            Message("control.record-kind-not-in-pack", kind=shown_kind),
            Message("control.one-of", options=kinds),
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
    def notify() -> dict[str, Json]:
        request.services.doors.changed()
        return {}

    return notify


def _require_owner(owner: str, request: HandlerRequest, kind: Sentence, name: str) -> None:
    """Refuse, and thereby roll back, removing an object of another person than the one given."""
    if owner != request.args.text("person"):
        shown_name, whose = visible(name), visible(owner)
        raise RefusedError(
            Message("control.owned-by-another", kind=kind, name=shown_name, owner=whose),
            Message("control.name-the-owner"),
        )
