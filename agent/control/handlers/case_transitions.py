"""Transitions of offboarding cases: how they are stored, and how they end access.

Rules of this file: a case is read, moved and stored in one transaction. The approval that ends access does so in the
same transaction: the departure takes effect, every grant ends, a transferred person gets the new post, and the cases
that this one overtakes are closed, so that there is no instant at which neither denies. With a future leave date all of
that waits for it (``case.carry-out``), and the decider denies from that instant on by its own rule.
:meth:`.OffboardingCoordinator.revoke` is called only after the decider has acknowledged, and again when a second
officer has confirmed that an administrator leaves. No officer acts on their own case, not even to record it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

from agent.api.timestamps import instant
from agent.control.dispatch import HandlerRequest, HandlerResult, Json
from agent.control.eligibility import find_person
from agent.control.handlers.case_view import brief
from agent.control.handlers.papers import paper as signed_paper
from agent.errors import RefusedError, UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.terms import PERSON
from agent.registry.validation import unknown
from agent.runtime import os_groups
from rules.model import Person
from rules.offboarding import machine, opening
from rules.offboarding.case import PERSONNEL, OffboardingCase
from rules.offboarding.machine import DepartureRefusedError
from rules.offboarding.vocabulary import CaseKind
from rules.text import Message


def moved(
    request: HandlerRequest, change: RegistryTransaction, before: OffboardingCase | None, after: OffboardingCase
) -> HandlerResult:
    """Store *after*; when access ends with it, end every grant, and start the revocation after the commit."""
    after = _written_down(request, before, after, PERSONNEL if by_itself(request) else request.officer())
    if after.approved_at and not (before and before.approved_at):
        after = machine.ended(after, sorted(roles_held(request, after.person)[0]), _written_by(request))
    if not after.ended_at or (before and before.ended_at):
        change.cases.save(after)
        over = case_result(request, after)
        confirmed = before and before.unconfirmed and after.confirmation and after.ended_at
        return _telling(request, after, over) if confirmed else over
    overtaken = _overtaken(request, change, after)
    change.cases.save(after)
    ended = change.case_grants.end_all(after, by=_decided_by(request, after))
    scopes_left = _transferred(change, after) if after.kind in (CaseKind.TRANSFER, CaseKind.REHIRED) else []
    return _telling(
        request, after, case_result(request, after, grants_ended=ended, circles_left=scopes_left, **overtaken)
    )


def _written_down(
    request: HandlerRequest, before: OffboardingCase | None, after: OffboardingCase, by: str
) -> OffboardingCase:
    """Return *after* with *by* as the recorder of its new approvals."""
    recorded = before.approvals if before else ()
    marked = (
        approval if approval in recorded else replace(approval, written_by=by, **_paper_of(request, approval.by))
        for approval in after.approvals
    )
    return replace(after, approvals=tuple(marked))


def _paper_of(request: HandlerRequest, approver: str) -> dict[str, Any]:
    """Return the paper that *approver* signed, for an approval that another person records."""
    if request.args.text("by") != approver or (signed := signed_paper(request, "by")) is None:
        return {}
    return {"paper": signed.reference, "paper_on": signed.on}


def roles_held(request: HandlerRequest, person: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the administrator roles of *person*, and those that no other account of this host holds."""
    uids = [int(str(row["uid"])) for row in request.site.lists.accounts.find(person)]
    acting = os_groups.lately_running if by_itself(request) else os_groups.running
    return os_groups.roles_of(uids, request.site.role_groups(), request.site.facts.accounts, acting)


def _written_by(request: HandlerRequest) -> str:
    return "" if by_itself(request) else request.officer()


def _decided_by(request: HandlerRequest, case: OffboardingCase) -> str:
    """Return the responsible officer: at a leave date the last approver, because no caller is present."""
    if case.carried_out_at and case.approvals:
        return case.approvals[-1].by
    return request.officer()


def _transferred(change: RegistryTransaction, case: OffboardingCase) -> list[str]:
    return change.people.transfer(case.person, department=case.department or None, post=case.post or None)


def _overtaken(request: HandlerRequest, change: RegistryTransaction, approved: OffboardingCase) -> dict[str, Json]:
    """Close the narrower cases that run beside *approved*, and return their numbers; until now they denied.

    A wider case with a future leave date continues. So does, at a leave date, a case that a second officer still has to
    confirm; it denies as well.
    """
    over = []
    for running in change.cases.running(approved.person):
        if running.id == approved.id or running.kind.reach > approved.kind.reach:
            continue
        if approved.carried_out_at and not running.gives_way_to(approved.kind):
            continue
        by = PERSONNEL if by_itself(request) else request.officer()
        by = _decided_by(request, approved) if approved.carried_out_at else by
        with by_the_rules():
            change.cases.save(opening.overtake(running, approved.kind, by, request.at))
        over.append(running.id)
    return {"overtakes": ", ".join(over)} if over else {}


def _telling(request: HandlerRequest, case: OffboardingCase, over: HandlerResult) -> HandlerResult:
    offboarding, pid = request.services.offboarding, request.peer.pid
    return HandlerResult(
        over.reply,
        over.log_fields,
        cut=frozenset((case.person,)),
        on_commit=lambda: offboarding.freeze(case.id, pid),
        on_ack=lambda: offboarding.revoke(case.id, pid),
    )


def by_itself(request: HandlerRequest) -> bool:
    """Return whether the agent itself is the caller: the kernel reports its own pid for the socket."""
    return request.peer.pid == os.getpid()


def case_result(request: HandlerRequest, case: OffboardingCase, **more: Json) -> HandlerResult:
    """Return the state of *case* and *more*, for the caller and for the entry."""
    entry = {"case": case.id, "person": case.person, "step": case.step.value, **more}
    return HandlerResult({**brief(case, request.at, _day_for_flags(request)), **more}, entry)


@contextmanager
def by_the_rules() -> Iterator[None]:
    """Turn a refusal of the procedure into :class:`agent.errors.RefusedError`."""
    try:
        yield
    except DepartureRefusedError as refused:
        raise RefusedError(refused.text, refused.hint) from None


def not_own(request: HandlerRequest, case: OffboardingCase) -> None:
    """Refuse a caller who is the leaver, whomever they name as the actor."""
    with by_the_rules():
        machine.not_own(case.person, request.officer())


def by_whom(request: HandlerRequest) -> str:
    """Return the actor of what is recorded: the caller, or a registered person in office."""
    if "by" not in request.args:
        return request.officer()
    name = request.args.text("by")
    registered(request, name)
    signed_paper(request, "by")
    return name


def registered(request: HandlerRequest, name: str) -> Person:
    """Return the person of this id; raise :class:`RefusedError` when there is none."""
    person = find_person(request, name)
    if person is None:
        raise unknown(PERSON, name, "shoumi person list")
    return person


def today(request: HandlerRequest) -> date:
    """Return the current day in the site's time zone."""
    return (request.at + request.site.pack().utc_offset).date()


def _day_for_flags(request: HandlerRequest) -> date:
    """Return the current day, in UTC where the pack cannot be read, so that no departure waits for a broken pack."""
    try:
        return today(request)
    except RefusedError:
        return request.at.date()


def day(text: str, name: str) -> date:
    """Read the argument *name*, a day; raise :class:`UsageError`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(Message("control.day-invalid", name=name)) from None


def leave_date(request: HandlerRequest, name: str) -> datetime | None:
    """Read the argument *name*, an instant: without offset in the site's time zone; a bare day means its end."""
    text = request.args.text(name)
    if not text:
        return None
    try:
        return instant(text, timezone(request.site.pack().utc_offset), end=True)
    except ValueError:
        raise UsageError(Message("control.day-or-time-invalid", name=name)) from None
