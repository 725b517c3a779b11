"""Offboarding duties between the approval and the end of a case, as moves of the state machine.

Rules of this file: the duties are done in any order, but papers come after all other duties (D20-A.6.5.3, D09-2.3), and
closing comes after the end of the cooling-off period (D06-4.11). A line is handed over once, to a person other than the
leaver; it is never dropped. Neither papers nor closing are possible while the leaver still holds a responsibility.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from rules.offboarding.case import GONE, CaseRemark, Exam, HandoverItem, OffboardingCase, Period
from rules.offboarding.keeping import Kept, nothing_kept
from rules.offboarding.machine import DepartureRefusedError, may, not_before, stated
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind
from rules.text import Message


def add_item(case: OffboardingCase, line: HandoverItem, by: str) -> OffboardingCase:
    """Add a line that the pack and the registry do not know of."""
    may(case, CaseEvent.ADD_LINE, by)
    if any(existing.key == line.key for existing in case.items):
        raise DepartureRefusedError(
            Message("departure.item-exists", key=line.key),
            Message("departure.choose-another-name"),
        )
    return replace(case, items=(*case.items, line))


def hand_over(case: OffboardingCase, key: str, by: str, now: datetime) -> OffboardingCase:
    """Sign one line of the hand-over list: *by* has received it for its department."""
    may(case, CaseEvent.HAND_OVER, by)
    return _line(case, key, lambda line: replace(line, done_by=by, done_at=now))


def write_off(case: OffboardingCase, key: str, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Write off a line that will never be handed over, only after an absence without leave or a death."""
    may(case, CaseEvent.HAND_OVER, by)
    if case.kind not in GONE:
        raise DepartureRefusedError(
            Message("departure.write-off-not-allowed"),
            Message("departure.have-it-handed-over"),
        )
    missing = stated(reason)
    return _line(case, key, lambda line: replace(line, done_by=by, done_at=now, missing=missing))


def educate(case: OffboardingCase, by: str, now: datetime, note: str = "") -> OffboardingCase:
    """Record the exit education (D20-A.5.4)."""
    may(case, CaseEvent.EDUCATE, by)
    _owed(case, CaseDuty.EDUCATION)
    return replace(case, education=CaseRemark(by, now, note))


def examine(case: OffboardingCase, by: str, now: datetime, *, passed: bool) -> OffboardingCase:
    """Record one try at the exit exam (D09-2.3); it follows the education, and is over once it is passed."""
    may(case, CaseEvent.EXAM, by)
    _owed(case, CaseDuty.EXAM)
    if CaseDuty.EDUCATION in case.owed:
        raise DepartureRefusedError(
            Message("departure.education-before-exam"),
            Message("departure.record-education-first"),
        )
    return replace(case, exams=(*case.exams, Exam(by, now, passed)))


def sign(case: OffboardingCase, name: str, by: str, now: datetime) -> OffboardingCase:
    """Record that the leaver signed *name*; *by* saw it."""
    may(case, CaseEvent.SIGN, by)
    for paper in case.signatures:
        if paper.name == name and paper.signed_at is None:
            signed = replace(paper, seen_by=by, signed_at=now)
            return replace(
                case, signatures=tuple(signed if signature is paper else signature for signature in case.signatures)
            )
    raise _no_such(name, [paper.name for paper in case.signatures if paper.signed_at is None])


def decide_period(
    case: OffboardingCase, until: datetime | None, by: str, now: datetime, reason: str = ""
) -> OffboardingCase:
    """Decide the cooling-off period (D06-4.11): its end, or ``None`` with a reason. It may be made longer later."""
    may(case, CaseEvent.COOL_OFF, by)
    assert case.approved_at is not None
    if until is None:
        if case.needs_period or (case.period and case.period.until):
            raise DepartureRefusedError(
                Message("departure.cooling-off-required"),
                Message("departure.give-period-end"),
            )
        stated(reason)
    else:
        over = max(case.approved_at, case.effective_at or case.approved_at)
        earliest = max(over, (case.period and case.period.until) or over)
        if until <= earliest:
            raise DepartureRefusedError(
                Message("departure.period-too-short", time=f"{earliest:%F %H:%M}Z"),
                Message("departure.give-later-end"),
            )
    return replace(case, period=Period(until, by, now, reason))


def release_papers(
    case: OffboardingCase, by: str, now: datetime, responsibilities: Sequence[Kept] = ()
) -> OffboardingCase:
    """Release the leaver's papers (D20-A.6.5.3), when every other duty is done.

    *responsibilities*: what the leaver still holds now.
    """
    may(case, CaseEvent.PAPERS, by)
    _nothing_owed(case)
    nothing_kept(responsibilities)
    if not case.has_papers:
        raise DepartureRefusedError(
            Message("departure.no-papers", kind=case.kind.text),
            Message("departure.close-instead"),
        )
    return replace(case, papers=CaseRemark(by, now))


def close(case: OffboardingCase, by: str, now: datetime, responsibilities: Sequence[Kept] = ()) -> OffboardingCase:
    """Close the case: duties done, no *responsibilities*, papers released, cooling-off period and measures ended.

    Long leave ends by the return of the person instead, which takes two officers.
    """
    may(case, CaseEvent.CLOSE, by)
    if case.kind is CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Message("departure.long-leave-ends-by-return"),
            Message("departure.resume-by-two-officers"),
        )
    _nothing_owed(case)
    nothing_kept(responsibilities)
    if case.has_papers and case.papers is None:
        raise DepartureRefusedError(
            Message("departure.papers-not-released"),
            Message("departure.release-papers-first"),
        )
    not_before(case, now)
    if still := case.measures_open:
        names = [f"`{measure.item or measure.measure}`" for measure in still]
        raise DepartureRefusedError(
            Message("departure.measures-open", names=names),
            Message("departure.record-measure-end"),
        )
    return replace(case, closed=CaseRemark(by, now))


def _line(case: OffboardingCase, key: str, settle: Callable[[HandoverItem], HandoverItem]) -> OffboardingCase:
    for line in case.items:
        if line.key == key and line.done_at is None:
            return replace(case, items=tuple(settle(entry) if entry is line else entry for entry in case.items))
    raise _no_such(key, [line.key for line in case.items if line.done_at is None])


def _no_such(name: str, open_ones: list[str]) -> DepartureRefusedError:
    listed = [f"`{open_name}`" for open_name in open_ones]
    hint = Message("departure.open-items", names=listed) if listed else Message("departure.no-open-items")
    return DepartureRefusedError(Message("departure.open-item-not-found", name=name), hint)


def _owed(case: OffboardingCase, duty: CaseDuty) -> None:
    if duty not in case.owed:
        raise DepartureRefusedError(
            Message("departure.duty-not-owed", duty=duty.text),
            Message("departure.see-case"),
        )


def _nothing_owed(case: OffboardingCase) -> None:
    if case.owed:
        raise DepartureRefusedError(
            Message("departure.duties-owed", duties=[duty.text for duty in case.owed]),
            Message("departure.papers-come-last"),
        )
