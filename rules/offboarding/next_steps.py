"""离岗: what comes next in a case, and what is wrong with it. For status pages and for the inspection.

Rules of this file: pure questions about a case; every answer is a sentence.
"""

from datetime import date, datetime
from typing import NamedTuple

from rules.offboarding.case import OffboardingCase
from rules.offboarding.cooling_off import visit_due
from rules.offboarding.measure import MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind, CaseStep
from rules.text import Text
from rules.visible import visible

_ONE = {CaseDuty.EDUCATION: CaseEvent.EDUCATE, CaseDuty.EXAM: CaseEvent.EXAM, CaseDuty.COOLING_OFF: CaseEvent.COOL_OFF}


class Next(NamedTuple):
    """One thing that may be done now: the event, the name it needs (a role, a line, a document), and a sentence."""

    event: CaseEvent
    name: str
    what: Text


def next_steps(case: OffboardingCase, now: datetime) -> tuple[Next, ...]:
    """Return what moves the case forward, most pressing first; nothing for a case that is over."""
    if case.step in (CaseStep.CLOSED, CaseStep.RESCINDED, CaseStep.WITHDRAWN):
        return ()
    if case.step is CaseStep.RETURNED:
        return (Next(CaseEvent.OPEN, "", Text("hand it in again", "重新提交")),)
    if case.unconfirmed:  # also before a leave date: then nothing waits when it comes
        text = Text("confirmation by a second officer: processes end", "第二名管理员确认：结束其进程")
        return (Next(CaseEvent.CONFIRM, "", text),)
    if place := case.next_approver:
        en, zh = f"approval: {place.title.en}", f"审批：{place.title.zh}"
        return (Next(CaseEvent.APPROVE, place.role, Text(en, zh)),)
    owed = [found for duty in case.owed for found in _duty(case, duty)]
    if case.scheduled:
        when = f"{case.effective_at:%F %H:%M}Z"
        text = Text(f"access ends {when}; it may be brought forward", f"权限于 {when} 取消；可以提前")
        return (*owed, Next(CaseEvent.ADVANCE, "", text))
    if case.kind is CaseKind.LONG_LEAVE:
        return (*owed, Next(CaseEvent.RESUME, "", _back(case)))
    if owed:
        return tuple(owed)
    if case.has_papers and case.papers is None:
        return (Next(CaseEvent.PAPERS, "", Text("release the papers", "发放退工材料")),)
    end = case.period and case.period.until
    if end and now < end:
        text = Text(f"the cooling-off period runs until {end:%F %H:%M}Z", f"脱密期至 {end:%F %H:%M}Z")
        return (*_visit(case), Next(CaseEvent.CLOSE, "", text))
    if undo := tuple(Next(CaseEvent.END_MEASURE, one.measure, _undo(one)) for one in case.measures_open):
        return undo
    return (Next(CaseEvent.CLOSE, "", Text("close the case", "办结")),)


def flags(case: OffboardingCase, today: date) -> tuple[Text, ...]:
    """Return what an inspection would find on *today*, a day of the site's calendar."""
    found = []
    if case.late_days:
        found.append(Text(f"notice came {case.late_days} days late", f"离岗报告迟了 {case.late_days} 天"))
    if today > case.last_day and case.step in (CaseStep.NOTICE, CaseStep.APPROVAL, CaseStep.RETURNED):
        found.append(Text("the last day is over, and the departure is not approved", "离职日已过，离岗尚未批准"))
    due = visit_due(case)
    if due and today > due and not case.closed and not case.rescinded:
        found.append(Text(f"a return visit was due on {due}", f"回访应于 {due} 前完成"))
    if (
        today > case.last_day
        and case.step in (CaseStep.SCHEDULED, CaseStep.APPROVED)
        and CaseDuty.HAND_OVER in case.owed
    ):
        found.append(Text("the last day is over, and not everything is handed over", "离职日已过，移交尚未完成"))
    if missing := [item for item in case.items if item.missing]:
        names = ", ".join(f"`{visible(item.key)}`" for item in missing)
        found.append(Text(f"written off as missing: {names}", f"核销的缺失项：{names}"))
    if case.step is CaseStep.CONFIRMATION:
        roles = ", ".join(case.roles)
        found.append(
            Text(
                f"an administrator ({roles}): access is over, processes run until a second officer confirms",
                f"当事人是管理员（{roles}）：权限已取消，进程待第二名管理员确认后结束",
            )
        )
    if case.rescissions and not case.rescinded:
        first = visible(case.rescissions[0].by)
        found.append(
            Text(f"`{first}` asks to rescind it; a second officer decides", f"`{first}` 申请撤销，待第二名管理员决定")
        )
    return tuple(found)


def _back(case: OffboardingCase) -> Text:
    if case.resumption:
        first = visible(case.resumption.by)
        return Text(
            f"`{first}` says they are back; a second officer confirms", f"`{first}` 确认返岗，待第二名管理员确认"
        )
    return Text("when they are back: two officers say so", "返岗时由两名管理员确认")


def _visit(case: OffboardingCase) -> tuple[Next, ...]:
    due = visit_due(case)
    if due is None:
        return ()
    [name, *_] = [one.name for one in case.measures if one.kind is MeasureKind.VISIT]
    return (Next(CaseEvent.MEASURE, name, Text(f"return visit by {due}", f"{due} 前回访")),)


def _undo(taken: MeasureTaken) -> Text:
    if taken.item:
        said = visible(taken.item)
        return Text(f"give back `{said}`", f"归还 `{said}`")
    said = visible(taken.paper)
    return Text(f"withdraw the filing `{said}`", f"撤销备案 `{said}`")


def _duty(case: OffboardingCase, duty: CaseDuty) -> list[Next]:
    if duty is CaseDuty.HAND_OVER:
        return [
            Next(
                CaseEvent.HAND_OVER,
                item.key,
                Text(f"{item.title.en} → {item.department.en}", f"{item.title.zh} → {item.department.zh}"),
            )
            for item in case.items
            if item.done_at is None
        ]
    if duty is CaseDuty.SIGNATURES:
        return [Next(CaseEvent.SIGN, paper.name, paper.title) for paper in case.signatures if paper.signed_at is None]
    if duty is CaseDuty.MEASURES:
        return [Next(CaseEvent.MEASURE, one.name, one.title) for one in case.measures_owed]
    return [Next(_ONE[duty], "", duty.text)]
