"""Handlers: grants and holds."""

from collections.abc import Iterator
from contextlib import suppress

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.eligibility import find_person
from agent.control.handlers.case_transitions import by_itself
from agent.control.handlers.last_officers import require_second_source
from agent.control.handlers.papers import paper, written
from agent.errors import RefusedError, ShoumiError
from agent.registry.queries.grants import State
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("grant.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, temporary = request.args, request.args.flag("temporary")
    limit = request.site.pack().temp_auth
    if temporary and not limit.enabled:
        raise RefusedError(
            Message("control.pack-without-temporary-grants"),
            Message("control.enable-temporary-grants-in-pack"),
        )
    signed = paper(request, "approver")
    grant = change.grants.add(
        args.text("person"),
        args.text("area"),
        reason=args.text("reason"),
        approver=request.officer(),
        paper=signed,
        since=args.instant("since"),
        until=args.instant("until"),
        temporary=temporary,
        max_days=limit.max_days if temporary else None,
    )
    return HandlerResult({"grant": grant, "person": args.text("person"), "area": args.text("area")}, written(signed))


@handlers.act("grant.end")
def _end(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args = request.args
    if "area" not in args:
        ended = [args.text("grant")]
        if find_person(request, ended[0]):
            person = visible(ended[0])
            raise RefusedError(
                Message("control.area-or-room-required", person=person),
                Message("control.end-grant-of-person", person=person),
            )
    else:
        running = request.site.lists.grants.find(request.at, person=args.text("grant"), resource=args.text("area"))
        coming = request.site.lists.grants.find(
            request.at, person=args.text("grant"), resource=args.text("area"), state="coming"
        )
        ended = [str(row["id"]) for row in (*running, *coming)]
        if not ended:
            person, area = visible(args.text("grant")), visible(args.text("area"))
            raise RefusedError(
                Message("control.no-active-grant", person=person, area=area),
                Message("common.see-shoumi-grant-list"),
            )
    for grant in ended:
        change.grants.end(grant, by=request.officer(), reason=args.text("reason"))
    return HandlerResult({"grants": ended})


@handlers.stream("grant.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    args, lists = request.args, request.site.lists
    states: tuple[State, ...] = ("all",) if args.flag("all") else ("running", "coming")
    rows = [
        row
        for state in states
        for row in lists.grants.find(request.at, person=args.text("person"), resource=args.text("area"), state=state)
    ]
    return iter(rows)


@handlers.act("hold.add")
def _hold(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    services, person, pid = request.services, request.args.text("person"), request.peer.pid
    if by_itself(request):  # a notice of the personnel system
        require_second_source(request, person)
    hold = change.holds.add(person, reason=request.args.text("reason"), by=request.officer())

    def follow() -> dict[str, Json]:
        services.offboarding.start_revocation(hold, pid)
        return {"revocations": _under_way(request)}

    return HandlerResult({"hold": hold, "person": person}, cut=frozenset((person,)), on_ack=follow)


def _under_way(request: HandlerRequest) -> Json:
    """Return the number of open runs, ``None`` when it cannot be read; the hold is in force either way."""
    with suppress(ShoumiError):
        return request.services.offboarding.backlog().to_json()
    return None


@handlers.act("hold.lift")
def _lift(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    person = request.args.text("person")
    holds = [str(row["id"]) for row in request.site.lists.holds.find(person)]
    if not holds:
        shown_person = visible(person)
        raise RefusedError(
            Message("control.no-active-hold", person=shown_person),
            Message("control.see-hold-list"),
        )
    officers = request.officers()
    # If a hold takes two officers, the proposer has requested the lift and the confirming officer lifts it.
    broken = request.standing.role is Role.BREAK_GLASS
    lifted = (
        holds
        if broken
        else [hold for hold in holds if [change.holds.ask_to_lift(hold, by=officer) for officer in officers][-1]]
    )
    for hold in lifted:
        change.holds.lift(hold, by=officers[-1], reason=request.args.text("reason"))
    return HandlerResult({"holds": lifted, "waiting": [hold for hold in holds if hold not in lifted], "person": person})


@handlers.stream("hold.list")
def _holds(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.holds.find(request.args.text("person"), lifted=request.args.flag("all")))
