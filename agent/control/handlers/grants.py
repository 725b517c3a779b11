"""Handlers: grants and holds. What gives and takes access."""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, stream
from agent.errors import RefusedError
from agent.registry.queries.grants import State
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text
from rules.visible import visible


@act("grant.add")
def _add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, temporary = ask.args, ask.args.flag("temporary")
    limit = ask.desk.pack().temp_auth
    if temporary and not limit.enabled:
        raise RefusedError(
            Text("the pack in force allows no temporary grants", "生效的规则包不允许临时授权"),
            Text(
                "switch [temp_auth] on in the pack, then: shoumi pack use FILE",
                "请在规则包中启用 [temp_auth],再运行 shoumi pack use FILE",
            ),
        )
    grant = change.grants.add(
        args.text("person"),
        args.text("area"),
        reason=args.text("reason"),
        approver=args.maybe("approver") or ask.officer(),
        since=args.instant("since"),
        until=args.instant("until"),
        temporary=temporary,
        max_days=limit.max_days if temporary else None,
    )
    return HandlerResult({"grant": grant, "person": args.text("person"), "area": args.text("area")})


@act("grant.end")
def _end(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = ask.args
    if "area" not in args:
        ended = [args.text("grant")]
    else:
        running = ask.desk.lists.grants.find(ask.at, person=args.text("grant"), resource=args.text("area"))
        coming = ask.desk.lists.grants.find(
            ask.at, person=args.text("grant"), resource=args.text("area"), state="coming"
        )
        ended = [str(row["id"]) for row in (*running, *coming)]
        if not ended:
            person, area = visible(args.text("grant")), visible(args.text("area"))
            raise RefusedError(
                Text(f"`{person}` has no running grant for `{area}`", f"`{person}` 对 `{area}` 没有有效授权"),
                Text("see `shoumi grant list`", "参见 `shoumi grant list`"),
            )
    for grant in ended:
        change.grants.end(grant, by=ask.officer(), reason=args.text("reason"))
    return HandlerResult({"grants": ended})


@stream("grant.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    args, lists = ask.args, ask.desk.lists
    states: tuple[State, ...] = ("all",) if args.flag("all") else ("running", "coming")
    rows = [
        row
        for state in states
        for row in lists.grants.find(ask.at, person=args.text("person"), resource=args.text("area"), state=state)
    ]
    return iter(rows)


@act("hold.add")
def _hold(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    desk, person, pid = ask.desk, ask.args.text("person"), ask.peer.pid
    hold = change.holds.add(person, reason=ask.args.text("reason"), by=ask.officer())

    def follow() -> dict[str, Json]:
        desk.held(person, hold, pid)
        return {}

    return HandlerResult({"hold": hold, "person": person}, after=follow)


@act("hold.lift")
def _lift(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person = ask.args.text("person")
    holds = [str(row["id"]) for row in ask.desk.lists.holds.find(person)]
    if not holds:
        said = visible(person)
        raise RefusedError(
            Text(f"`{said}` is not on hold", f"`{said}` 未被停权"),
            Text("see `shoumi hold list`", "参见 `shoumi hold list`"),
        )
    lifted = [hold for hold in holds if change.holds.ask_to_lift(hold, by=ask.officer())]
    for hold in lifted:
        change.holds.lift(hold, by=ask.officer(), reason=ask.args.text("reason"))
    return HandlerResult({"holds": lifted, "waiting": [hold for hold in holds if hold not in lifted], "person": person})


@stream("hold.list")
def _holds(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.holds.find(ask.args.text("person"), lifted=ask.args.flag("all")))
