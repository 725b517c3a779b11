"""Handlers: people, accounts, badges, services, records."""

from collections.abc import Callable, Iterator

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, read, stream
from agent.control.handlers.quarantine import waiting_for
from agent.control.handlers.what_if import clearances
from agent.errors import RefusedError, UsageError
from agent.registry.csv_import import import_csv, read_csv
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.rows.badges import as_read
from agent.registry.terms import ACCOUNT, BADGE
from rules.model import Clearance, Employment, Level
from rules.pack.reader import Pack
from rules.text import Text
from rules.visible import visible

_SYSTEM_COLUMNS = frozenset({"accounts", "badges"})
_NEUTRAL_COLUMNS = frozenset({"id", "name"})


@act("person.add")
def _add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = ask.args, ask.args.text("person")
    change.people.add(
        person,
        name=args.text("name"),
        department=args.text("department"),
        post=args.text("post"),
        projects=args.texts("project"),
        employment=Employment(args.text("employment") or Employment.REGULAR),
        clearances=_levels(ask),
    )
    for uid in args.numbers("account"):
        change.accounts.add(uid, person)
    for number in args.texts("badge"):
        change.badges.add(number, person)
    return HandlerResult({"person": person, "quarantined": waiting_for(ask.desk.home, person)})


@act("person.set")
def _set(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, person = ask.args, ask.args.text("person")
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
    )
    if args.flag("post_changed"):
        change.people.change_post(person)
    for clearance in _levels(ask):
        change.people.set_clearance(person, clearance)
    return HandlerResult({"person": person})


@act("person.import")
def _import(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    text = ask.args.text("csv")
    rows = read_csv(text)
    columns = frozenset(name for row in rows for name, value in row.fields.items() if value)
    if columns & _SYSTEM_COLUMNS:
        ask.need(Role.SYSTEM)
    if columns - _SYSTEM_COLUMNS - _NEUTRAL_COLUMNS:
        ask.need(Role.SECURITY)
    people = import_csv(change, rows, approved_by=ask.officer(), level_of=level_reader(ask.desk.pack()))
    return HandlerResult({"people": people}, ask.digest("csv"))


def _levels(ask: HandlerRequest) -> tuple[Clearance, ...]:
    """Return the levels given, or the one the pack maps the printed class of ``--label`` to."""
    args, approved_by = ask.args, ask.args.maybe("approved_by") or ask.officer()
    label, domain = args.text("label"), args.text("domain")
    if label and domain and "level" not in args:
        level = ask.desk.pack().level_of(label, domain)
        if level is None:
            said = visible(label)
            raise RefusedError(
                Text(
                    f"the pack maps no `{said}` in `{visible(domain)}`", f"规则包在 `{visible(domain)}` 中没有 `{said}`"
                ),
                Text("add --level", "请加 --level"),
            )
        return (Clearance(domain, level, label, approved_by),)
    return tuple(_known(ask, clearance) for clearance in clearances(args, approved_by))


def _known(ask: HandlerRequest, clearance: Clearance) -> Clearance:
    known_domain(ask, clearance.domain)
    return clearance


def known_domain(ask: HandlerRequest, domain: str) -> None:
    """Raise :class:`RefusedError` for a domain the pack in force does not have: nothing would ever open there."""
    known = ask.desk.pack().domains
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


@read("person.show")
def _show(ask: HandlerRequest) -> Json:
    return ask.desk.lists.people.dossier(ask.args.text("person"))


@stream("person.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.people.find(text=ask.args.text("search")))


@act("account.add")
def _account_add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    uid, person = ask.args.number("uid"), ask.args.text("person")
    assert uid is not None
    change.accounts.add(uid, person, allow_system=ask.args.flag("allow_system"))
    return HandlerResult({"person": person, "uid": uid})


@act("account.remove")
def _account_remove(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    uid = ask.args.number("uid")
    assert uid is not None
    _theirs(change.accounts.remove(uid), ask, ACCOUNT, str(uid))
    return HandlerResult({"person": ask.args.text("person"), "uid": uid})


@stream("account.list")
def _account_list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.accounts.find(ask.args.text("person")))


@act("badge.add")
def _badge_add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, number, person = ask.args, as_read(ask.args.text("number")), ask.args.text("person")
    change.badges.add(
        number, person, until=args.instant("until"), facility=args.number("facility"), bits=args.number("bits")
    )
    return HandlerResult({"person": person, "number": number}, after=_tell(ask))


@act("badge.remove")
def _badge_remove(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    number = as_read(ask.args.text("number"))
    _theirs(change.badges.remove(number), ask, BADGE, number)
    return HandlerResult({"person": ask.args.text("person"), "number": number}, after=_tell(ask))


@act("badge.lost")
def _badge_lost(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    number = as_read(ask.args.text("number"))
    _theirs(change.badges.mark_lost(number), ask, BADGE, number)
    return HandlerResult({"person": ask.args.text("person"), "number": number}, after=_tell(ask))


@stream("badge.list")
def _badge_list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.badges.find(ask.args.text("person"), returned=ask.args.flag("all")))


@act("service.add")
def _service_add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, uid = ask.args, ask.args.number("uid")
    assert uid is not None
    name = args.text("service")
    change.services.add(name, uid=uid, executable=args.text("executable"), areas=args.texts("area"))
    return HandlerResult({"service": name})


@act("service.remove")
def _service_remove(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    change.services.remove(ask.args.text("service"))
    return HandlerResult({"service": ask.args.text("service")})


@stream("service.list")
def _service_list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.services.all())


@act("record.add")
def _record_add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, kind = ask.args, ask.args.text("kind")
    known = ask.desk.pack().records
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
        on=args.instant("on") or ask.at,
        passed=not args.flag("failed"),
        valid_until=args.instant("valid_until"),
        topic=args.text("topic"),
    )
    return HandlerResult({"record": record, "person": args.text("person"), "kind": kind})


@stream("record.list")
def _record_list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.records.find(ask.args.text("person")))


@act("record.void")
def _record_void(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    record = ask.args.text("record")
    return HandlerResult({"record": record, "person": change.records.void(record, reason=ask.args.text("reason"))})


def _tell(ask: HandlerRequest) -> Callable[[], dict[str, Json]]:
    def told() -> dict[str, Json]:
        ask.desk.doors.changed()
        return {}

    return told


def _theirs(owner: str, ask: HandlerRequest, what: Text, name: str) -> None:
    """Refuse, and so undo, taking something from another person than was named."""
    if owner != ask.args.text("person"):
        said, whose = visible(name), visible(owner)
        raise RefusedError(
            Text(f"{what.en} `{said}` belongs to `{whose}`", f"{what.zh} `{said}` 属于 `{whose}`"),
            Text("name the person it belongs to", "请写明其所属人员"),
        )
