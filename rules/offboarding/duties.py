"""离岗: what is owed between the approval and the end of a case, as moves of the state machine.

Rules of this file: the duties are done in any order, but papers come after everything the leaver owes (D20-A.6.5.3,
D09-2.3), and closing after the end of the cooling-off period (D06-4.11). A line is handed over once, to somebody who is
not the leaver; it is never quietly dropped. Neither papers nor closing, while the leaver is still named somewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from rules.offboarding.case import GONE, CaseRemark, Exam, HandoverItem, OffboardingCase, Period
from rules.offboarding.keeping import Kept, nothing_kept
from rules.offboarding.machine import DepartureRefusedError, may, not_before, stated
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind
from rules.text import Text
from rules.visible import visible


def add_item(case: OffboardingCase, item: HandoverItem, by: str) -> OffboardingCase:
    """Add a line that the pack and the registry do not know of."""
    may(case, CaseEvent.ADD_LINE, by)
    if any(known.key == item.key for known in case.items):
        raise DepartureRefusedError(
            Text(f"the list has a line `{visible(item.key)}` already", f"移交单已有 `{visible(item.key)}` 项"),
            Text("give it another name", "请另取名称"),
        )
    return replace(case, items=(*case.items, item))


def hand_over(case: OffboardingCase, key: str, by: str, now: datetime) -> OffboardingCase:
    """Sign one line of the hand-over list: *by* has received it for its department."""
    may(case, CaseEvent.HAND_OVER, by)
    return _line(case, key, lambda item: replace(item, done_by=by, done_at=now))


def write_off(case: OffboardingCase, key: str, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Settle a line that will never come back. Only where the leaver is gone; anybody else hands everything over."""
    may(case, CaseEvent.HAND_OVER, by)
    if case.kind not in GONE:
        raise DepartureRefusedError(
            Text("only who left without leave has lines written off", "仅擅自离岗者的移交项可以核销"),
            Text("have it handed over", "请办理移交"),
        )
    missing = stated(reason)
    return _line(case, key, lambda item: replace(item, done_by=by, done_at=now, missing=missing))


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
            Text("the exit education comes before the exam", "须先进行离职保密教育，再行考核"),
            Text("record the education first", "请先登记离职保密教育"),
        )
    return replace(case, exams=(*case.exams, Exam(by, now, passed)))


def sign(case: OffboardingCase, name: str, by: str, now: datetime) -> OffboardingCase:
    """Record that the leaver signed *name*; *by* saw it."""
    may(case, CaseEvent.SIGN, by)
    for paper in case.signatures:
        if paper.name == name and paper.signed_at is None:
            signed = replace(paper, seen_by=by, signed_at=now)
            return replace(case, signatures=tuple(signed if one is paper else one for one in case.signatures))
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
                Text("this case needs a cooling-off period", "本案必须规定脱密期"),
                Text("give its end", "请给出截止时间"),
            )
        stated(reason)
    else:
        over = max(case.approved_at, case.effective_at or case.approved_at)
        earliest = max(over, (case.period and case.period.until) or over)
        if until <= earliest:
            raise DepartureRefusedError(
                Text(f"the cooling-off period ends after {earliest:%F %H:%M}Z", f"脱密期须晚于 {earliest:%F %H:%M}Z"),
                Text("give a later end: a period is never made shorter", "请给出更晚的时间：脱密期不得缩短"),
            )
    return replace(case, period=Period(until, by, now, reason))


def release_papers(case: OffboardingCase, by: str, now: datetime, kept: Sequence[Kept] = ()) -> OffboardingCase:
    """Release the leaver's papers (D20-A.6.5.3): the last thing, when nothing is owed any more.

    *kept*: where the leaver is still named, as seen now.
    """
    may(case, CaseEvent.PAPERS, by)
    _nothing_owed(case)
    nothing_kept(kept)
    if not case.has_papers:
        raise DepartureRefusedError(
            Text(f"there are no papers to release: {case.kind.text.en}", f"{case.kind.text.zh}：无退工材料可发"),
            Text("close the case", "请直接办结"),
        )
    return replace(case, papers=CaseRemark(by, now))


def close(case: OffboardingCase, by: str, now: datetime, kept: Sequence[Kept] = ()) -> OffboardingCase:
    """Close the case: nothing is owed or *kept*, papers are out, the cooling-off period is over and undone.

    Long leave ends by the return of its person instead, which takes two officers.
    """
    may(case, CaseEvent.CLOSE, by)
    if case.kind is CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Text("long leave ends when its person is back", "长期离岗以返岗结束"),
            Text("two officers say so by `case resume`", "由两名管理员执行 `case resume`"),
        )
    _nothing_owed(case)
    nothing_kept(kept)
    if case.has_papers and case.papers is None:
        raise DepartureRefusedError(
            Text("the papers are not released yet", "退工材料尚未发放"),
            Text("release the papers first", "请先发放退工材料"),
        )
    not_before(case, now)
    if still := case.measures_open:
        said = ", ".join(f"`{visible(one.item or one.measure)}`" for one in still)
        raise DepartureRefusedError(
            Text(f"not given back or withdrawn yet: {said}", f"尚未归还或撤销：{said}"),
            Text("record it by `case end-measure`", "请用 `case end-measure` 登记"),
        )
    return replace(case, closed=CaseRemark(by, now))


def _line(case: OffboardingCase, key: str, done: Callable[[HandoverItem], HandoverItem]) -> OffboardingCase:
    for item in case.items:
        if item.key == key and item.done_at is None:
            return replace(case, items=tuple(done(one) if one is item else one for one in case.items))
    raise _no_such(key, [item.key for item in case.items if item.done_at is None])


def _no_such(name: str, open_ones: list[str]) -> DepartureRefusedError:
    listed = ", ".join(f"`{visible(one)}`" for one in open_ones)
    hint = Text(f"still open: {listed}", f"尚未完成：{listed}") if listed else Text("nothing is open", "已全部完成")
    return DepartureRefusedError(
        Text(f"no open line is called `{visible(name)}`", f"没有未完成项 `{visible(name)}`"), hint
    )


def _owed(case: OffboardingCase, duty: CaseDuty) -> None:
    if duty not in case.owed:
        raise DepartureRefusedError(
            Text(f"{duty.text.en}: nothing is owed", f"{duty.text.zh}：无须办理或已完成"),
            Text("see the status of the case", "请查看本案状态"),
        )


def _nothing_owed(case: OffboardingCase) -> None:
    if case.owed:
        en, zh = ", ".join(duty.text.en for duty in case.owed), "、".join(duty.text.zh for duty in case.owed)
        raise DepartureRefusedError(
            Text(f"still owed: {en}", f"尚未完成：{zh}"),
            Text("papers and closing come last", "退工材料与办结在最后"),
        )
