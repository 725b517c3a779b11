"""Handlers: offboarding cases and decisions about them.

:mod:`agent.control.handlers.case_transitions` stores the transitions.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.eligibility import absence
from agent.control.handlers.case_transitions import (
    by_itself,
    by_the_rules,
    by_whom,
    case_result,
    day,
    leave_date,
    moved,
    not_own,
    registered,
    roles_held,
)
from agent.control.handlers.last_officers import require_second_source
from agent.control.offboarding.hr_replay_guard import forget_older
from agent.errors import ForbiddenError, RefusedError
from agent.language.catalogue import both
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.offboarding import machine, opening
from rules.offboarding.case import PERSONNEL, HandoverItem, OffboardingCase
from rules.offboarding.vocabulary import CaseKind, CaseStep
from rules.pack.model import Pack
from rules.text import Message

handlers = HandlerTable()

_OWN = Message("control.own-department")


@handlers.act("case.open")
def _open(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, pack, person = request.args, request.site.pack(), request.args.text("person")
    last_day, by = day(args.text("last_day"), "last_day"), request.officer()
    with by_the_rules():
        returned = next(
            (running for running in change.cases.running(person) if running.step is CaseStep.RETURNED), None
        )
        if returned:
            resubmitted = opening.hand_in_again(
                returned, pack, last_day, by, request.at, leave_date(request, "effective")
            )
            return case_result(request, change.cases.save(resubmitted))
        case = opening.open_case(
            pack,
            registered(request, person),
            CaseKind(args.text("kind") or CaseKind.RESIGNATION),
            last_day,
            by,
            request.at,
            noticed_at=args.instant("noticed"),
            lines=_lines(request, pack, person),
            reason=args.text("reason"),
            reference=args.text("reference"),
            department=args.text("department"),
            post=args.text("post"),
            effective_at=leave_date(request, "effective"),
            batch=args.text("batch"),
        )
    return moved(request, change, None, change.cases.add(case))


@handlers.act("case.approve")
def _approve(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        role, opinion = _role(case, request.args.text("as")), request.args.text("opinion")
        after = machine.approve(case, role, by, request.at, opinion)
    return moved(request, change, case, after)


@handlers.act("case.confirm")
def _confirm(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case = change.cases.get(request.args.text("person"))
    with by_the_rules():
        return moved(request, change, case, machine.confirm(case, request.officer(), request.at))


@handlers.act("case.advance")
def _advance(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, to = change.cases.get(request.args.text("person")), leave_date(request, "to") or request.at
    with by_the_rules():
        after = machine.advance(case, to, request.officer(), request.at)
        if after.scheduled and after.effective_at == request.at:
            after = machine.carry_out(after, sorted(roles_held(request, case.person)[0]), request.at)
    return moved(request, change, case, after)


@handlers.act("case.carry-out")
def _carry_out(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not by_itself(request):
        raise ForbiddenError(Message("control.agent-carries-out-leave-dates"))
    case = change.cases.get(request.args.text("person"))
    with by_the_rules():
        after = machine.carry_out(case, sorted(roles_held(request, case.person)[0]), request.at)
    return moved(request, change, case, after)


@handlers.act("case.notice")
def _notice(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not by_itself(request):
        raise ForbiddenError(Message("control.agent-accepts-notices"))
    args, pack, person = request.args, request.site.pack(), request.args.text("person")
    kind = CaseKind(args.text("kind") or CaseKind.RESIGNATION)
    approvers, effective_at = _in_office(request, args.texts("approver")), leave_date(request, "effective")
    require_second_source(request, person)
    if not opening.chain(pack, kind):
        effective_at = None  # this kind ends access at once, whatever date is given
    with by_the_rules():
        running, effective_at = _meant(request, change, kind, approvers, effective_at)
    until = args.instant("cooling_off_until")
    says = partial(opening.noted, now=request.at, printed_class=args.text("class"), until=until)
    if running and running.scheduled and len(approvers) >= pack.departure_case.hr_approvers:
        sooner = _sooner(request, running, effective_at or request.at)
        if sooner.ended_at:
            return moved(request, change, running, says(opening.vouched(sooner, approvers, request.at)))
        running = change.cases.save(sooner)
    if running and running.approved_at:
        after = says(opening.vouched(running, approvers, request.at) if running.unconfirmed else running)
        if after.confirmation != running.confirmation:
            return moved(request, change, running, after)
        return case_result(request, after if after == running else change.cases.save(after), already=True)
    with by_the_rules():
        case = running or change.cases.add(
            opening.open_case(
                pack,
                registered(request, person),
                kind,
                day(args.text("last_day"), "last_day"),
                PERSONNEL
                if opening.chain(pack, kind)
                else approvers[0],  # without an approval chain the opener is responsible
                request.at,
                lines=_lines(request, pack, person),
                reference=args.text("reference"),
                department=args.text("department"),
                post=args.text("post"),
                anywhere=True,
                batch=args.text("batch"),
            )
        )
        case = replace(
            case,
            reference=args.text("reference") or case.reference,
            batch=args.text("batch") or case.batch,
            effective_at=effective_at,  # the date of the notice; without one, at once
        )
        by_notice = opening.vouched if case.approved_at else partial(opening.by_notice, pack)
        after = says(by_notice(case, approvers, request.at))
    return moved(request, change, running, after)


def _sooner(request: HandlerRequest, case: OffboardingCase, to: datetime) -> OffboardingCase:
    """Return *case* with its leave date advanced to the one of the notice; never postponed."""
    if case.effective_at is None or to >= case.effective_at:
        return case
    with by_the_rules():
        case = machine.advance(case, to, PERSONNEL, request.at)
        if case.effective_at == request.at:
            case = machine.carry_out(case, sorted(roles_held(request, case.person)[0]), request.at)
    return case


def _in_office(request: HandlerRequest, approvers: Sequence[str]) -> list[str]:
    """Return those of *approvers* who are in office. Raises :class:`RefusedError` when none is."""
    absent = {by: reason for by in approvers if (reason := absence(request, by))}
    in_office = [by for by in approvers if by not in absent]
    if not in_office:
        raise RefusedError(
            Message("control.no-approver-in-office", reasons=list(absent.values())),
            Message("control.ask-approver-in-office"),
        )
    return in_office


def _meant(
    request: HandlerRequest,
    change: RegistryTransaction,
    kind: CaseKind,
    approvers: Sequence[str],
    effective_at: datetime | None,
) -> tuple[OffboardingCase | None, datetime | None]:
    """Return the running case that a notice of *kind* concerns (``None``: it opens a new one), and the leave date.

    A notice of another kind, or of a transfer to another place, opens a new case, unless an approved departure of the
    same reach leaves nothing to end. An unapproved running case is rescinded: the notice is authoritative, and its
    approval must not be carried out as another kind. A scheduled case of no greater reach gives way, and its leave date
    is not postponed; one of greater reach continues beside the new case.
    """
    for running in change.cases.running(request.args.text("person")):
        if running.kind is kind and not _elsewhere(request, running):
            return running, effective_at
        if not running.approved_at:
            change.cases.save(machine.rescind(running, PERSONNEL, request.at, kind.value))
            continue
        if running.kind.reach > kind.reach:
            if running.ended_at:
                return running, effective_at
            continue
        standing = opening.vouched(running, approvers, request.at)
        if running.kind.reach < kind.reach:  # closed when the new case ends access
            change.cases.save(standing)
        elif not standing.gives_way_to(kind):
            return (None, effective_at) if kind.passes else (running, effective_at)
        elif standing.scheduled or effective_at is None or effective_at <= request.at:
            # Otherwise a passing case denies until it is closed, and the notice waits for that: it restores no access.
            change.cases.save(opening.overtake(standing, kind, PERSONNEL, request.at))
            if effective_at and standing.effective_at:
                effective_at = min(effective_at, standing.effective_at)
    return None, effective_at


def _elsewhere(request: HandlerRequest, case: OffboardingCase) -> bool:
    """Return whether the notice names another department or post than *case*."""
    target = {"department": case.department, "post": case.post}
    return any(request.args.text(name) not in ("", current) for name, current in target.items())


@handlers.act("case.return")
def _return(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        return moved(request, change, case, machine.send_back(case, by, request.at, request.args.text("reason")))


@handlers.act("case.rescind")
def _rescind(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    return _taken_back(request, change, machine.rescind)


@handlers.act("case.withdraw")
def _withdraw(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    return _taken_back(request, change, machine.withdraw)


def _taken_back(
    request: HandlerRequest,
    change: RegistryTransaction,
    move: Callable[[OffboardingCase, str, datetime, str], OffboardingCase],
) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), request.officer()
    with by_the_rules():
        after = move(case, by, request.at, request.args.text("reason"))
    if after.rescinded and after.ended_at:
        # The departure stops denying, so a hold must deny until officers have decided on each grant.
        change.holds.add(case.person, reason=f"case {case.id} {after.step}", by=by, two_officers=True)
    over = moved(request, change, case, after)
    if not after.rescinded:
        over = HandlerResult({**over.reply, "asked_by": by}, over.log_fields)
    return HandlerResult(over.reply, over.log_fields, on_ack=lambda: forget_older(request.site.home, [after]))


@handlers.act("case.resume")
def _resume(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), request.officer()
    with by_the_rules():
        after = machine.resume(case, by, request.at, request.args.text("reason"))
    over = moved(request, change, case, after)
    return over if after.closed else HandlerResult({**over.reply, "back_by": by}, over.log_fields)


@handlers.act("case.restore")
def _restore(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, grant = change.cases.get(request.args.text("person")), request.args.text("grant")
    with by_the_rules():
        after = case
        for officer in request.officers():  # the proposer has requested it
            after = machine.restore(after, grant, officer, request.at)
    change.case_grants.get(case, grant)
    [restoration] = [candidate for candidate in after.restorations if candidate.grant == grant]
    change.cases.save(after)
    new_grant = (
        change.case_grants.restore(case, grant, reason=f"{case.id} {grant}", approver=restoration.asked_by)
        if restoration.given_by
        else ""
    )
    over, name = case_result(request, after, grant=grant, given=new_grant), f"{case.id}.{grant}"

    def follow() -> dict[str, Json]:
        if new_grant:
            request.services.offboarding.start_restoration(name)
        return {}

    return HandlerResult(over.reply, over.log_fields, on_ack=follow)


def _role(case: OffboardingCase, named: str) -> str:
    """Return the role with this name or title; the next one in the chain if *named* is empty."""
    if not named:
        return case.next_approver.role if case.next_approver else ""
    return next((place.role for place in case.chain if named in (place.role, *both(place.title))), named)


def _lines(request: HandlerRequest, pack: Pack, person: str) -> list[HandoverItem]:
    """Return the hand-over items known to the registry: badges, and areas and rooms in custody of the leaver."""
    if not pack.handover:
        return []
    to = pack.handover["badge"].department if "badge" in pack.handover else _OWN
    lists = request.site.lists
    badges = [
        HandoverItem(f"badge-{row['number']}", Message("control.badge", number=row["number"]), to)
        for row in lists.badges.find(person)
    ]
    places = [str(row["name"]) for row in (*lists.areas.find(), *lists.rooms.find()) if row["custodian"] == person]
    return badges + [HandoverItem(f"custody-{name}", Message("control.custody", place=name), _OWN) for name in places]
