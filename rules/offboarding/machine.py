"""The offboarding procedure 离岗离职办理 as a pure state machine.

Rules of this file:
- :data:`TABLE` is the procedure; a move that it does not list is refused, whoever requests it;
- nobody acts on their own case, nobody approves twice, and the order of the chain is kept (D20-A.6.2, D20-A.6.3,
  D18-6.3a);
- the last approval ends all access (D20-A.6.5.2b), and no move restores any: ``approved_at`` is never removed;
- a case with a future leave date ends nothing before that instant, and everything from then on (``effective_at``);
- for an administrator it ends nothing more until a second officer confirms: no single officer removes another
  (D18-6.3a).

Every move takes a case and returns another one, or raises :class:`DepartureRefusedError`. ``by`` is the acting person,
an id of the registry; ``now`` is the instant of the act. The duties between approval and closing are moves as well, in
:mod:`rules.offboarding.duties`; opening a case is in :mod:`rules.offboarding.opening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.offboarding.case import GIVES_NOTICE, Approval, CaseRemark, OffboardingCase, Restoration
from rules.offboarding.vocabulary import CaseEvent, CaseKind, CaseStep
from rules.text import Message, Sentence

__all__ = [
    "TABLE",
    "Approval",
    "CaseEvent",
    "CaseKind",
    "CaseMove",
    "CaseStep",
    "DepartureRefusedError",
    "OffboardingCase",
    "advance",
    "approve",
    "carry_out",
    "confirm",
    "ended",
    "may",
    "moves",
    "not_own",
    "rescind",
    "restore",
    "resume",
    "send_back",
    "stated",
    "withdraw",
]  # fmt: skip


class DepartureRefusedError(Exception):
    """A refused move. ``text`` is the reason, ``hint`` the remedy."""

    def __init__(self, text: Sentence, hint: Sentence) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


@dataclass(frozen=True, slots=True)
class CaseMove:
    """One row of the procedure: at one of these steps, *event* leads to *to*. ``to`` is ``None`` if the step stays.

    ``at`` is empty where there is no case yet.
    """

    event: CaseEvent
    at: tuple[CaseStep, ...]
    to: CaseStep | None
    when: Sentence


_BEFORE = (CaseStep.NOTICE, CaseStep.APPROVAL)
_UNDECIDED = (*_BEFORE, CaseStep.RETURNED)
_DECIDED = (CaseStep.SCHEDULED, CaseStep.CONFIRMATION, CaseStep.APPROVED, CaseStep.PAPERS, CaseStep.CLOSED)
_LEAVING = (CaseStep.SCHEDULED, CaseStep.APPROVED)
_OVER = (CaseStep.APPROVED,)

TABLE: tuple[CaseMove, ...] = (
    CaseMove(CaseEvent.OPEN, (), CaseStep.NOTICE, Message("departure.when-notice-given")),
    CaseMove(CaseEvent.OPEN, (), CaseStep.APPROVED, Message("departure.when-immediate")),
    CaseMove(CaseEvent.OPEN, (), CaseStep.CONFIRMATION, Message("departure.when-immediate-administrator")),
    CaseMove(CaseEvent.OPEN, (CaseStep.RETURNED,), CaseStep.NOTICE, Message("departure.when-resubmitted")),
    CaseMove(CaseEvent.APPROVE, _BEFORE, CaseStep.APPROVAL, Message("departure.when-approvals-missing")),
    CaseMove(CaseEvent.APPROVE, _BEFORE, CaseStep.APPROVED, Message("departure.when-last-approval")),
    CaseMove(
        CaseEvent.APPROVE,
        _BEFORE,
        CaseStep.CONFIRMATION,
        Message("departure.when-last-approval-administrator"),
    ),
    CaseMove(
        CaseEvent.APPROVE,
        _BEFORE,
        CaseStep.SCHEDULED,
        Message("departure.when-last-approval-scheduled"),
    ),
    CaseMove(CaseEvent.ADVANCE, (*_BEFORE, CaseStep.SCHEDULED), None, Message("departure.when-leave-date-advanced")),
    CaseMove(
        CaseEvent.CARRY_OUT,
        (CaseStep.SCHEDULED,),
        CaseStep.APPROVED,
        Message("departure.when-leave-date-reached"),
    ),
    CaseMove(
        CaseEvent.CARRY_OUT,
        (CaseStep.SCHEDULED,),
        CaseStep.CONFIRMATION,
        Message("departure.when-leave-date-reached-unconfirmed"),
    ),
    CaseMove(
        CaseEvent.CONFIRM,
        (CaseStep.SCHEDULED,),
        None,
        Message("departure.when-confirmed-early"),
    ),
    CaseMove(
        CaseEvent.CONFIRM,
        (CaseStep.CONFIRMATION,),
        CaseStep.APPROVED,
        Message("departure.when-confirmed"),
    ),
    CaseMove(
        CaseEvent.RETURN,
        _BEFORE,
        CaseStep.RETURNED,
        Message("departure.when-returned"),
    ),
    CaseMove(CaseEvent.ADD_LINE, (*_UNDECIDED, *_LEAVING), None, Message("departure.when-line-added")),
    CaseMove(CaseEvent.HAND_OVER, _LEAVING, None, Message("departure.when-handed-over")),
    CaseMove(CaseEvent.EDUCATE, _LEAVING, None, Message("departure.when-education")),
    CaseMove(CaseEvent.EXAM, _LEAVING, None, Message("departure.when-exam")),
    CaseMove(CaseEvent.SIGN, _LEAVING, None, Message("departure.when-document-signed")),
    CaseMove(CaseEvent.COOL_OFF, (*_LEAVING, CaseStep.PAPERS), None, Message("departure.when-period-decided")),
    CaseMove(
        CaseEvent.MEASURE,
        (*_LEAVING, CaseStep.PAPERS),
        None,
        Message("departure.when-measure-taken"),
    ),
    CaseMove(
        CaseEvent.END_MEASURE,
        (*_OVER, CaseStep.PAPERS),
        None,
        Message("departure.when-measure-ended"),
    ),
    CaseMove(CaseEvent.PAPERS, _OVER, CaseStep.PAPERS, Message("departure.when-nothing-owed")),
    CaseMove(CaseEvent.CLOSE, (CaseStep.PAPERS,), CaseStep.CLOSED, Message("departure.when-period-over")),
    CaseMove(CaseEvent.CLOSE, _OVER, CaseStep.CLOSED, Message("departure.when-period-over-no-papers")),
    CaseMove(
        CaseEvent.OVERTAKE,
        _LEAVING,
        CaseStep.CLOSED,
        Message("departure.when-overtaken"),
    ),
    CaseMove(CaseEvent.RESUME, _OVER, None, Message("departure.when-resumed-first")),
    CaseMove(
        CaseEvent.RESUME,
        _OVER,
        CaseStep.CLOSED,
        Message("departure.when-resumed-second"),
    ),
    CaseMove(CaseEvent.RESCIND, _UNDECIDED, CaseStep.RESCINDED, Message("departure.when-rescinded")),
    CaseMove(CaseEvent.RESCIND, _DECIDED, None, Message("departure.when-rescinded-first")),
    CaseMove(
        CaseEvent.RESCIND,
        _DECIDED,
        CaseStep.RESCINDED,
        Message("departure.when-rescinded-second"),
    ),
    CaseMove(
        CaseEvent.WITHDRAW,
        _UNDECIDED,
        CaseStep.WITHDRAWN,
        Message("departure.when-withdrawn"),
    ),
    CaseMove(CaseEvent.WITHDRAW, _DECIDED, None, Message("departure.when-withdrawn-first")),
    CaseMove(
        CaseEvent.WITHDRAW,
        _DECIDED,
        CaseStep.WITHDRAWN,
        Message("departure.when-withdrawn-second"),
    ),
    CaseMove(
        CaseEvent.RESTORE,
        (CaseStep.RESCINDED, CaseStep.WITHDRAWN, CaseStep.CLOSED),
        None,
        Message("departure.when-restored"),
    ),
)


def moves(event: CaseEvent, step: CaseStep) -> tuple[CaseMove, ...]:
    """Return the rows of the table for *event* at *step*; none: it is not possible at that step."""
    return tuple(move for move in TABLE if move.event is event and step in move.at)


def approve(case: OffboardingCase, role: str, by: str, now: datetime, opinion: str = "") -> OffboardingCase:
    """Give the next approval of the chain; the last one ends all access, at *now* or at a future leave date."""
    may(case, CaseEvent.APPROVE, by)
    following = case.next_approver
    assert following is not None  # a case without open approvals is approved
    if role != following.role:
        raise DepartureRefusedError(
            Message("departure.approval-out-of-order", due=following.title, role=role),
            Message("departure.approve-as", role=following.role),
        )
    if any(approval.by == by for approval in case.approvals):
        raise DepartureRefusedError(
            Message("departure.already-approved", person=by),
            Message("departure.approvals-need-different-people"),
        )
    approvals = (*case.approvals, Approval(role, by, now, opinion))
    return replace(case, approvals=approvals, approved_at=now if len(approvals) == len(case.chain) else None)


def advance(case: OffboardingCase, to: datetime, by: str, now: datetime) -> OffboardingCase:
    """Bring the leave date forward; it ends access sooner, so one officer does. Nothing ever puts it off."""
    may(case, CaseEvent.ADVANCE, by)
    if case.effective_at is None or to >= case.effective_at:
        raise DepartureRefusedError(
            Message("departure.leave-date-only-earlier"),
            Message("departure.rescind-to-postpone"),
        )
    return replace(case, effective_at=max(to, now), advanced=CaseRemark(by, now))


def carry_out(case: OffboardingCase, roles: Sequence[str], now: datetime) -> OffboardingCase:
    """Carry out a leave date that is reached. *roles*: the leaver's roles now, in addition to those at the approval.

    The decider denies from that instant on already, by its own rule; this is the rest of what an approval ends.
    """
    may(case, CaseEvent.CARRY_OUT, "")
    assert case.effective_at is not None
    if now < case.effective_at:
        raise DepartureRefusedError(
            Message("departure.leave-date-not-reached", time=f"{case.effective_at:%F %H:%M}Z"),
            Message("departure.wait-or-advance"),
        )
    return replace(case, carried_out_at=now, roles=tuple(sorted({*case.roles, *roles})))


def ended(case: OffboardingCase, roles: Sequence[str], by: str) -> OffboardingCase:
    """Record that all access has ended, recorded *by* a person, and the administrator *roles* of the leaver.

    With any role, the case requires a second officer; where two people signed the approval already, it is confirmed.
    """
    return replace(case, roles=tuple(roles), ended_by=by)


def confirm(case: OffboardingCase, by: str, now: datetime) -> OffboardingCase:
    """Confirm, as a second officer, that an administrator leaves: their processes may end."""
    may(case, CaseEvent.CONFIRM, by)
    if by in case.officers:
        raise _second(by)
    return replace(case, confirmation=CaseRemark(by, now))


def send_back(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Return the case to the leaver: it is submitted again, and every approval so far is void."""
    may(case, CaseEvent.RETURN, by)
    remark = CaseRemark(by, now, stated(reason))
    return replace(case, approvals=(), sent_back=True, returns=(*case.returns, remark))


def rescind(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Rescind the departure: before the approval by one officer, after it by two, one after the other.

    It restores nothing: what ended with the approval has ended.
    """
    may(case, CaseEvent.RESCIND, by)
    remark = CaseRemark(by, now, stated(reason))
    if any(earlier.by == by for earlier in case.rescissions):
        raise _second(by)
    rescissions = (*case.rescissions, remark)
    return replace(case, rescissions=rescissions, rescinded=case.approved_at is None or len(rescissions) == 2)


def withdraw(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Rescind the departure because the leaver withdrew their own notice; as :func:`rescind`."""
    may(case, CaseEvent.WITHDRAW, by)
    if case.kind not in GIVES_NOTICE:
        raise DepartureRefusedError(
            Message("departure.no-notice-to-withdraw", kind=case.kind.text),
            Message("departure.rescind-instead"),
        )
    after = rescind(case, by, now, reason)
    return replace(after, withdrawn=after.rescinded)


def resume(case: OffboardingCase, by: str, now: datetime, reason: str = "") -> OffboardingCase:
    """Record the return from long leave: two officers, one after the other. It restores nothing.

    A decided cooling-off period runs to its end first.
    """
    may(case, CaseEvent.RESUME, by)
    if case.kind is not CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Message("departure.not-on-long-leave"),
            Message("departure.see-case"),
        )
    not_before(case, now)
    if case.resumption is None:
        return replace(case, resumption=CaseRemark(by, now, reason))
    if case.resumption.by == by:
        raise _second(by)
    return replace(case, closed=CaseRemark(by, now, reason))


def not_before(case: OffboardingCase, now: datetime) -> None:
    """Raise :class:`DepartureRefusedError` while the cooling-off period runs."""
    end = case.period and case.period.until
    if end and now < end:
        raise DepartureRefusedError(
            Message("departure.period-runs-until", time=f"{end:%F %H:%M}Z"),
            Message("departure.close-after-period"),
        )


def restore(case: OffboardingCase, grant: str, by: str, now: datetime) -> OffboardingCase:
    """Request one grant again after a rescission or long leave, or confirm the request as a second officer."""
    may(case, CaseEvent.RESTORE, by)
    if case.ended_at is None:
        raise DepartureRefusedError(
            Message("departure.no-access-ended"),
            Message("departure.nothing-to-restore"),
        )
    if case.closed and not case.rescinded and case.kind is not CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Message("departure.closed-case-not-restorable"),
            Message("departure.add-new-grant"),
        )
    for restoration in case.restorations:
        if restoration.grant != grant:
            continue
        if restoration.given_by:
            raise DepartureRefusedError(
                Message("departure.grant-already-restored", grant=grant),
                Message("departure.see-grants"),
            )
        if restoration.asked_by == by:
            raise _second(by)
        restored = replace(restoration, given_by=by)
        return replace(
            case, restorations=tuple(restored if entry is restoration else entry for entry in case.restorations)
        )
    return replace(case, restorations=(*case.restorations, Restoration(grant, by, now)))


def may(case: OffboardingCase, event: CaseEvent, by: str) -> None:
    """Raise :class:`DepartureRefusedError` unless *by* may try *event* at this step."""
    not_own(case.person, by)
    if not moves(event, case.step):
        raise DepartureRefusedError(
            Message("departure.event-not-possible", event=event, step=case.step.text),
            Message("departure.see-case"),
        )


def not_own(person: str, by: str) -> None:
    """Raise :class:`DepartureRefusedError` when the leaver acts on their own case."""
    if by == person:
        raise DepartureRefusedError(
            Message("departure.own-case"),
            Message("departure.another-person-must-act"),
        )


def stated(reason: str) -> str:
    """Return *reason*; raise :class:`DepartureRefusedError` when it is blank."""
    if reason.strip():
        return reason
    raise DepartureRefusedError(Message("departure.reason-missing"), Message("departure.give-reason"))


def _second(by: str) -> DepartureRefusedError:
    return DepartureRefusedError(
        Message("common.second-officer-needed", officer=by),
        Message("departure.another-officer-must-act"),
    )
