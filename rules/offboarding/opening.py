"""离岗: how a case begins, and what the pack asks of this leaver.

Rules of this file: what is owed is fixed when the case is opened. Notice that comes too late is flagged, never
refused: a person who is going goes. A kind that ends access at once needs no chain; the opener answers for it
(D18-5.3). A notice of the personnel system brings its own approvals; they count like any others: different people,
none of them the leaver.
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
from rules.text import Text

OFFICER = Approver("officer", Text("security officer", "安全保密管理员"))
_LEADS_ON = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED))  # to another post


def chain(pack: Pack, kind: CaseKind) -> tuple[Approver, ...]:
    """Return who approves a departure of this kind, in order; nobody, for a kind that ends access at once."""
    rule = pack.departure_case
    if kind in rule.immediate:
        return ()
    named = [(name, pack.approvers[name]) for name in rule.chain]
    asked = tuple(Approver(name, place.title) for name, place in named if not place.kinds or kind in place.kinds)
    return asked or (OFFICER,)


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
    """Open the case of *person*. *lines*: what he has to hand over beside the pack's own list.

    *department* and *post* say where a transfer leads; *anywhere*: it may be said later, because what ends does not
    wait for it. *effective_at*: the leave date; one that is past when the last approval comes ends access with it.
    Raises :class:`DepartureRefusedError` when he opens his own, for a notice from the future, a transfer to nowhere,
    and a leave date of what ends access at once.
    """
    not_own(person.id, by)
    noticed = noticed_at or now
    if noticed > now:
        raise DepartureRefusedError(
            Text("the notice is dated in the future", "离岗报告的日期在未来"), Text("check the date", "请核对日期")
        )
    leads = bool(department or post)
    if (leads and kind not in _LEADS_ON) or (kind is CaseKind.TRANSFER and not (leads or anywhere)):
        raise DepartureRefusedError(
            Text(
                "a transfer leads to a department or post, and else only a rehire may",
                "调动须写明新部门或岗位；除返聘外，其他类别不写",
            ),
            Text("give or leave out the new department and post", "请补上或去掉新部门、岗位"),
        )
    rule, asked = pack.departure_case, chain(pack, kind)
    if effective_at and not asked:
        raise DepartureRefusedError(
            Text(f"it ends access at once: {kind.text.en}", f"{kind.text.zh}即时取消权限"),
            Text("leave the leave date out", "请勿填写离岗时间"),
        )
    return OffboardingCase(
        person=person.id,
        kind=kind,
        last_day=last_day,
        noticed_at=noticed,
        opened_by=by,
        chain=asked,
        approved_at=None if asked else now,
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
    """Return what *pack* asks to be done during the cooling-off period of a departure of *kind*.

    Who stays with the unit is kept by it, and entrusted to nobody.
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
    """Approve *case* on a notice of the personnel system, which names who approved there.

    The notice replaces the chain of the pack; approvals given here before count as nothing. Raises
    :class:`DepartureRefusedError` for too few people, one named twice, the leaver among them, or a case past approval.
    """
    if case.step is CaseStep.RETURNED:
        case = replace(case, sent_back=False)  # the personnel system has had it handed in again
    may(case, CaseEvent.APPROVE, "")
    wanted = pack.departure_case.hr_approvers
    if len(approvers) < wanted:
        raise DepartureRefusedError(
            Text(
                f"the notice names {len(approvers)} approvers, and the pack asks for {wanted}",
                f"通知中有 {len(approvers)} 名审批人，规则包要求 {wanted} 名",
            ),
            Text("have it signed by everybody it needs", "请由全部审批人签署"),
        )
    places = tuple(Approver(f"hr-{number}", _personnel(number)) for number in range(1, len(approvers) + 1))
    case = replace(case, chain=places, approvals=())
    for place, by in zip(places, approvers, strict=True):
        case = approve(case, place.role, by, now)
    return vouched(case, approvers, now)


def overtake(case: OffboardingCase, kind: CaseKind, by: str, now: datetime) -> OffboardingCase:
    """Close a case because another of its person, of *kind*, ends as much, and asks for what is owed.

    *by* approved that one last, or wrote it down. Raises :class:`DepartureRefusedError` for a case that does not give
    way to it (:meth:`.OffboardingCase.gives_way_to`), and while a second officer is still asked about this one.
    """
    may(case, CaseEvent.OVERTAKE, by)
    if not case.gives_way_to(kind):
        raise DepartureRefusedError(
            Text("a case is overtaken by one that ends as much", "仅可被终止范围不小于本案的后续离岗取代"),
            Text("see the status of the case", "请查看本案状态"),
        )
    return replace(case, closed=CaseRemark(by, now, kind.value))


def vouched(case: OffboardingCase, approvers: Sequence[str], now: datetime) -> OffboardingCase:
    """Return *case*, whose access is over, confirmed when the *approvers* of a notice make it two people's decision."""
    first = case.officers - {PERSONNEL, *approvers}
    named = [by for by in dict.fromkeys(approvers) if by != case.person]
    if case.confirmation or not named or len(first) + len(named) < 2:
        return case
    return replace(case, confirmation=CaseRemark(named[-1], now))


def noted(
    case: OffboardingCase, now: datetime, printed_class: str = "", until: datetime | None = None
) -> OffboardingCase:
    """Return *case* with what a notice says beside the approval, where it says anything.

    *until*: the end of the cooling-off period, decided in the personnel system. It counts like an officer's decision: a
    period is only made longer, and one that is over before access ended is none. What the pack asks for stays owed.
    """
    case = replace(case, printed_class=printed_class or case.printed_class)
    decided = case.period and case.period.until
    over = case.ended_at or case.effective_at or now
    if until is None or case.approved_at is None or until <= max(over, decided or over):
        return case
    return replace(case, period=Period(until, PERSONNEL, now))


def _personnel(number: int) -> Text:
    return Text(f"personnel system, approver {number}", f"人事系统，审批人 {number}")


def _late(pack: Pack, kind: CaseKind, last_day: date, noticed: datetime) -> int:
    if kind not in GIVES_NOTICE:
        return 0
    given = (last_day - (noticed + pack.utc_offset).date()).days
    return max(0, pack.departure_case.notice_days - given)


def _signatures(pack: Pack, person: Person) -> tuple[Signature, ...]:
    return tuple(
        Signature(name, paper.title)
        for name, paper in pack.signatures.items()
        if (not paper.employment or person.employment in paper.employment)
        and (not paper.departments or person.department in paper.departments)
    )


def _cleared_in(person: Person, domains: tuple[str, ...]) -> bool:
    return any(held.level > Level.NONE and held.domain in domains for held in person.clearances)
