"""Opening of a case, and the duties that the pack requires of this leaver.

Rules of this file: the duties are fixed when the case is opened. Late notice is flagged, never refused: the person
leaves in any case. A kind that ends access at once needs no chain; the opener answers for it (D18-5.3). A notice of the
personnel system brings its own approvals; they count like any others: different people, none of them the leaver.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from rules.model import Level, Person
from rules.offboarding.case import (
    GIVES_NOTICE,
    PERSONNEL,
    STAYS,
    Approver,
    CaseRemark,
    HandoverItem,
    OffboardingCase,
    Period,
    Signature,
)
from rules.offboarding.machine import DepartureRefusedError, approve, may, not_own
from rules.offboarding.measure import Measure, MeasureKind
from rules.offboarding.vocabulary import CaseEvent, CaseKind, CaseStep
from rules.pack.model import Pack
from rules.text import Message, Sentence

OFFICER = Approver("officer", Message("common.security-officer"))
_LEADS_ON = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED))  # to another post


def chain(pack: Pack, kind: CaseKind) -> tuple[Approver, ...]:
    """Return the approvers of a departure of this kind, in order; none, for a kind that ends access at once."""
    rule = pack.departure_case
    if kind in rule.immediate:
        return ()
    named = [(name, pack.approvers[name]) for name in rule.chain]
    approvers = tuple(Approver(name, place.title) for name, place in named if not place.kinds or kind in place.kinds)
    return approvers or (OFFICER,)


def open_case(
    pack: Pack,
    person: Person,
    kind: CaseKind,
    last_day: date,
    by: str,
    now: datetime,
    *,
    noticed_at: datetime | None = None,
    lines: Sequence[HandoverItem] = (),
    reason: str = "",
    reference: str = "",
    department: str = "",
    post: str = "",
    anywhere: bool = False,
    effective_at: datetime | None = None,
    batch: str = "",
) -> OffboardingCase:
    """Open the case of *person*. *lines*: the hand-over lines in addition to the pack's own list.

    *department* and *post*: the target of a transfer; *anywhere*: it may be stated later, because what ends does not
    depend on it. *effective_at*: the leave date; one that has passed at the last approval ends access with it. Raises
    :class:`DepartureRefusedError` when the person opens their own case, for a notice from the future, a transfer
    without a target, and a leave date of a kind that ends access at once.
    """
    not_own(person.id, by)
    noticed = noticed_at or now
    if noticed > now:
        raise DepartureRefusedError(Message("departure.notice-in-future"), Message("common.check-date"))
    leads = bool(department or post)
    if (leads and kind not in _LEADS_ON) or (kind is CaseKind.TRANSFER and not (leads or anywhere)):
        raise DepartureRefusedError(
            Message("departure.transfer-target-invalid"),
            Message("departure.check-department-and-post"),
        )
    rule, approvers = pack.departure_case, chain(pack, kind)
    if effective_at and not approvers:
        raise DepartureRefusedError(
            Message("departure.kind-ends-access-at-once", kind=kind.text),
            Message("departure.omit-leave-date"),
        )
    return OffboardingCase(
        person=person.id,
        kind=kind,
        last_day=last_day,
        noticed_at=noticed,
        opened_by=by,
        chain=approvers,
        approved_at=None if approvers else now,
        late_days=_late(pack, kind, last_day, noticed),
        reason=reason,
        reference=reference,
        department=department,
        post=post,
        items=(*(HandoverItem(name, line.title, line.department) for name, line in pack.handover.items()), *lines),
        needs_education=rule.education,
        needs_exam=rule.exam,
        signatures=_signatures(pack, person),
        needs_period=kind not in {*STAYS, CaseKind.DEATH} and _cleared_in(person, rule.cooling_off),
        effective_at=effective_at,
        batch=batch,
        measures=measures(pack, kind),
    )


def measures(pack: Pack, kind: CaseKind) -> tuple[Measure, ...]:
    """Return the measures that *pack* requires during the cooling-off period of a departure of *kind*.

    For a person who stays with the unit, the unit keeps the period, and it is not entrusted.
    """
    return tuple(
        Measure(name, rule.kind, rule.title, rule.every_days)
        for name, rule in pack.measures.items()
        if (not rule.kinds or kind in rule.kinds) and (kind.leaves_unit or rule.kind is not MeasureKind.ENTRUST)
    )


def hand_in_again(
    case: OffboardingCase, pack: Pack, last_day: date, by: str, now: datetime, effective_at: datetime | None = None
) -> OffboardingCase:
    """Hand a returned case in again; the notice counts from *now*, and so does the leave date it names, or none."""
    may(case, CaseEvent.OPEN, by)
    late = _late(pack, case.kind, last_day, now)
    return replace(case, sent_back=False, last_day=last_day, noticed_at=now, late_days=late, effective_at=effective_at)


def by_notice(pack: Pack, case: OffboardingCase, approvers: Sequence[str], now: datetime) -> OffboardingCase:
    """Approve *case* on a notice of the personnel system, which names the approvers there.

    The notice replaces the chain of the pack; approvals given here before do not count. Raises
    :class:`DepartureRefusedError` for too few people, one named twice, the leaver among them, or a case past approval.
    """
    if case.step is CaseStep.RETURNED:
        case = replace(case, sent_back=False)  # the personnel system has had it handed in again
    may(case, CaseEvent.APPROVE, "")
    wanted = pack.departure_case.hr_approvers
    if len(approvers) < wanted:
        raise DepartureRefusedError(
            Message("departure.too-few-approvers", count=len(approvers), required=wanted),
            Message("departure.have-notice-signed"),
        )
    places = tuple(Approver(f"hr-{number}", _personnel(number)) for number in range(1, len(approvers) + 1))
    case = replace(case, chain=places, approvals=())
    for place, by in zip(places, approvers, strict=True):
        case = approve(case, place.role, by, now)
    return vouched(case, approvers, now)


def overtake(case: OffboardingCase, kind: CaseKind, by: str, now: datetime) -> OffboardingCase:
    """Close a case because another one of its person, of *kind*, ends at least as much and has its own duties.

    *by*: the last approver of that one, or its recorder. Raises :class:`DepartureRefusedError` for a case that does not
    give way to it (:meth:`.OffboardingCase.gives_way_to`), and while this one awaits a second officer.
    """
    may(case, CaseEvent.OVERTAKE, by)
    if not case.gives_way_to(kind):
        raise DepartureRefusedError(
            Message("departure.cannot-be-overtaken"),
            Message("departure.see-case"),
        )
    return replace(case, closed=CaseRemark(by, now, kind.value))


def vouched(case: OffboardingCase, approvers: Sequence[str], now: datetime) -> OffboardingCase:
    """Return *case*, whose access is over, confirmed if the *approvers* of a notice make two people decide."""
    first = case.officers - {PERSONNEL, *approvers}
    named = [by for by in dict.fromkeys(approvers) if by != case.person]
    if case.confirmation or not named or len(first) + len(named) < 2:
        return case
    return replace(case, confirmation=CaseRemark(named[-1], now))


def noted(
    case: OffboardingCase, now: datetime, printed_class: str = "", until: datetime | None = None
) -> OffboardingCase:
    """Return *case* with the other contents of a notice besides the approval.

    *until*: the end of the cooling-off period, decided in the personnel system. It counts like an officer's decision: a
    period is only extended, and one that is over before access ended does not count. The duties of the pack stay open.
    """
    case = replace(case, printed_class=printed_class or case.printed_class)
    decided = case.period and case.period.until
    over = case.ended_at or case.effective_at or now
    if until is None or case.approved_at is None or until <= max(over, decided or over):
        return case
    return replace(case, period=Period(until, PERSONNEL, now))


def _personnel(number: int) -> Sentence:
    return Message("departure.personnel-system-approver", number=number)


def _late(pack: Pack, kind: CaseKind, last_day: date, noticed: datetime) -> int:
    if kind not in GIVES_NOTICE:
        return 0
    notice_days = (last_day - (noticed + pack.utc_offset).date()).days
    return max(0, pack.departure_case.notice_days - notice_days)


def _signatures(pack: Pack, person: Person) -> tuple[Signature, ...]:
    return tuple(
        Signature(name, paper.title)
        for name, paper in pack.signatures.items()
        if (not paper.employment or person.employment in paper.employment)
        and (not paper.departments or person.department in paper.departments)
    )


def _cleared_in(person: Person, domains: tuple[str, ...]) -> bool:
    return any(held.level > Level.NONE and held.domain in domains for held in person.clearances)
