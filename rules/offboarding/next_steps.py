"""The next steps of a case and its inspection flags, for status pages and inspections.

Rules of this file: pure functions of a case; every answer is a sentence.
"""

from datetime import date, datetime
from typing import NamedTuple

from rules.offboarding.case import OffboardingCase
from rules.offboarding.cooling_off import visit_due
from rules.offboarding.measure import MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind, CaseStep
from rules.text import Message, Sentence

_DUTY_EVENTS = {
    CaseDuty.EDUCATION: CaseEvent.EDUCATE,
    CaseDuty.EXAM: CaseEvent.EXAM,
    CaseDuty.COOLING_OFF: CaseEvent.COOL_OFF,
}


class Next(NamedTuple):
    """A possible next act: the event, the name it needs (a role, a line, a document), and a sentence."""

    event: CaseEvent
    name: str
    what: Sentence


def next_steps(case: OffboardingCase, now: datetime) -> tuple[Next, ...]:
    """Return the next acts of the case, most urgent first; none for a case that is over."""
    if case.step in (CaseStep.CLOSED, CaseStep.RESCINDED, CaseStep.WITHDRAWN):
        return ()
    if case.step is CaseStep.RETURNED:
        return (Next(CaseEvent.OPEN, "", Message("departure.next-resubmit")),)
    if case.unconfirmed:  # also before a leave date, so that nothing waits for it then
        text = Message("departure.next-confirmation")
        return (Next(CaseEvent.CONFIRM, "", text),)
    if place := case.next_approver:
        return (Next(CaseEvent.APPROVE, place.role, Message("departure.next-approval", title=place.title)),)
    owed = [step for duty in case.owed for step in _duty(case, duty)]
    if case.scheduled:
        time = f"{case.effective_at:%F %H:%M}Z"
        text = Message("departure.next-access-end", time=time)
        return (*owed, Next(CaseEvent.ADVANCE, "", text))
    if case.kind is CaseKind.LONG_LEAVE:
        return (*owed, Next(CaseEvent.RESUME, "", _back(case)))
    if owed:
        return tuple(owed)
    if case.has_papers and case.papers is None:
        return (Next(CaseEvent.PAPERS, "", Message("common.release-papers")),)
    end = case.period and case.period.until
    if end and now < end:
        text = Message("departure.period-runs-until", time=f"{end:%F %H:%M}Z")
        return (*_visit(case), Next(CaseEvent.CLOSE, "", text))
    if undo := tuple(Next(CaseEvent.END_MEASURE, measure.measure, _undo(measure)) for measure in case.measures_open):
        return undo
    return (Next(CaseEvent.CLOSE, "", Message("departure.next-close")),)


def flags(case: OffboardingCase, today: date) -> tuple[Sentence, ...]:
    """Return the findings of an inspection on *today*, a day of the site's calendar."""
    findings = []
    if case.late_days:
        findings.append(Message("departure.flag-late-notice", count=case.late_days))
    if today > case.last_day and case.step in (CaseStep.NOTICE, CaseStep.APPROVAL, CaseStep.RETURNED):
        findings.append(Message("departure.flag-not-approved"))
    due = visit_due(case)
    if due and today > due and not case.closed and not case.rescinded:
        findings.append(Message("departure.flag-visit-overdue", due=due))
    if (
        today > case.last_day
        and case.step in (CaseStep.SCHEDULED, CaseStep.APPROVED)
        and CaseDuty.HAND_OVER in case.owed
    ):
        findings.append(Message("departure.flag-not-handed-over"))
    if missing := [line for line in case.items if line.missing]:
        names = [f"`{line.key}`" for line in missing]
        findings.append(Message("departure.flag-written-off", names=names))
    if case.step is CaseStep.CONFIRMATION:
        roles = [f"`{role}`" for role in case.roles]
        findings.append(Message("departure.flag-administrator-unconfirmed", roles=roles))
    if case.rescissions and not case.rescinded:
        officer = case.rescissions[0].by
        findings.append(Message("departure.flag-rescission-pending", officer=officer))
    return tuple(findings)


def _back(case: OffboardingCase) -> Sentence:
    if case.resumption:
        return Message("departure.next-return-confirmation", officer=case.resumption.by)
    return Message("departure.next-return")


def _visit(case: OffboardingCase) -> tuple[Next, ...]:
    due = visit_due(case)
    if due is None:
        return ()
    [name, *_] = [measure.name for measure in case.measures if measure.kind is MeasureKind.VISIT]
    return (Next(CaseEvent.MEASURE, name, Message("departure.next-visit", due=due)),)


def _undo(taken: MeasureTaken) -> Sentence:
    if taken.item:
        return Message("departure.next-return-document", document=taken.item)
    return Message("departure.next-withdraw-filing", paper=taken.paper)


def _duty(case: OffboardingCase, duty: CaseDuty) -> list[Next]:
    if duty is CaseDuty.HAND_OVER:
        return [
            Next(
                CaseEvent.HAND_OVER,
                line.key,
                Message("common.from-to", before=line.title, after=line.department),
            )
            for line in case.items
            if line.done_at is None
        ]
    if duty is CaseDuty.SIGNATURES:
        return [Next(CaseEvent.SIGN, paper.name, paper.title) for paper in case.signatures if paper.signed_at is None]
    if duty is CaseDuty.MEASURES:
        return [Next(CaseEvent.MEASURE, measure.name, measure.title) for measure in case.measures_owed]
    return [Next(_DUTY_EVENTS[duty], "", duty.text)]
