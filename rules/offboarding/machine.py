"""离岗: the procedure of a departure as a pure state machine.

Rules of this file:
- :data:`TABLE` is the procedure; a move it does not list is refused, whoever asks;
- nobody moves his own case, nobody approves twice, and the order of the chain is kept (D20-A.6.2, D20-A.6.3, D18-6.3a);
- the last approval ends all access (D20-A.6.5.2b), and no move gives any back: ``approved_at`` is never taken away;
- one with a leave date to come ends nothing before that instant, and everything from then on (``effective_at``);
- of an administrator it ends nothing more until a second officer confirms: no single hand removes another (D18-6.3a).

Every move takes a case and returns another one, or raises :class:`DepartureRefusedError`. ``by`` is who does it, an id
of the registry; ``now`` is the instant of the act. The duties between approval and closing are moves too, in
:mod:`rules.offboarding.duties`; how a case begins is in :mod:`rules.offboarding.opening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.offboarding.case import GIVES_NOTICE, Approval, CaseRemark, OffboardingCase, Restoration
from rules.offboarding.vocabulary import CaseEvent, CaseKind, CaseStep
from rules.text import Text
from rules.visible import visible

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
    """A move that is not made. ``text`` says why, ``hint`` what to do instead."""

    def __init__(self, text: Text, hint: Text) -> None:
        super().__init__(text.en)
        self.text = text
        self.hint = hint


@dataclass(frozen=True, slots=True)
class CaseMove:
    """One row of the procedure: at one of these steps, *event* leads to *to*. ``to`` is ``None`` where the case stays.

    ``at`` is empty where there is no case yet.
    """

    event: CaseEvent
    at: tuple[CaseStep, ...]
    to: CaseStep | None
    when: Text


_BEFORE = (CaseStep.NOTICE, CaseStep.APPROVAL)
_UNDECIDED = (*_BEFORE, CaseStep.RETURNED)
_DECIDED = (CaseStep.SCHEDULED, CaseStep.CONFIRMATION, CaseStep.APPROVED, CaseStep.PAPERS, CaseStep.CLOSED)
_LEAVING = (CaseStep.SCHEDULED, CaseStep.APPROVED)
_OVER = (CaseStep.APPROVED,)

TABLE: tuple[CaseMove, ...] = (
    CaseMove(CaseEvent.OPEN, (), CaseStep.NOTICE, Text("notice is given", "提出离岗")),
    CaseMove(CaseEvent.OPEN, (), CaseStep.APPROVED, Text("a kind that ends access at once", "即时取消权限的类别")),
    CaseMove(
        CaseEvent.OPEN, (), CaseStep.CONFIRMATION, Text("such a kind, of an administrator", "同上，当事人为管理员")
    ),
    CaseMove(CaseEvent.OPEN, (CaseStep.RETURNED,), CaseStep.NOTICE, Text("handed in again", "重新提交")),
    CaseMove(CaseEvent.APPROVE, _BEFORE, CaseStep.APPROVAL, Text("approvals are still missing", "尚有审批未完成")),
    CaseMove(CaseEvent.APPROVE, _BEFORE, CaseStep.APPROVED, Text("the last approval", "最后一级审批")),
    CaseMove(
        CaseEvent.APPROVE,
        _BEFORE,
        CaseStep.CONFIRMATION,
        Text("the last approval, of an administrator", "最后一级审批，当事人为管理员"),
    ),
    CaseMove(
        CaseEvent.APPROVE,
        _BEFORE,
        CaseStep.SCHEDULED,
        Text("the last approval, with a leave date to come", "最后一级审批，离岗时间未到"),
    ),
    CaseMove(
        CaseEvent.ADVANCE, (*_BEFORE, CaseStep.SCHEDULED), None, Text("to an earlier instant", "提前至更早的时间")
    ),
    CaseMove(
        CaseEvent.CARRY_OUT,
        (CaseStep.SCHEDULED,),
        CaseStep.APPROVED,
        Text("the agent, when the leave date has come", "离岗时间已到，由代理执行"),
    ),
    CaseMove(
        CaseEvent.CARRY_OUT,
        (CaseStep.SCHEDULED,),
        CaseStep.CONFIRMATION,
        Text("the same, of an administrator nobody confirmed", "同上，当事人为管理员且尚未确认"),
    ),
    CaseMove(
        CaseEvent.CONFIRM,
        (CaseStep.SCHEDULED,),
        None,
        Text("a second officer, before the leave date", "第二名管理员在离岗时间前确认"),
    ),
    CaseMove(
        CaseEvent.CONFIRM,
        (CaseStep.CONFIRMATION,),
        CaseStep.APPROVED,
        Text("a second officer; his processes end only now", "第二名管理员确认；此时方结束其进程"),
    ),
    CaseMove(
        CaseEvent.RETURN,
        _BEFORE,
        CaseStep.RETURNED,
        Text("with a reason; approvals begin anew", "说明理由，审批重新开始"),
    ),
    CaseMove(CaseEvent.ADD_LINE, (*_UNDECIDED, *_LEAVING), None, Text("one more line to hand over", "增加移交项")),
    CaseMove(CaseEvent.HAND_OVER, _LEAVING, None, Text("one line, one department", "逐项逐部门")),
    CaseMove(CaseEvent.EDUCATE, _LEAVING, None, Text("once", "一次")),
    CaseMove(CaseEvent.EXAM, _LEAVING, None, Text("after the education, until it is passed", "教育之后，直至通过")),
    CaseMove(CaseEvent.SIGN, _LEAVING, None, Text("each document once", "每份文件一次")),
    CaseMove(CaseEvent.COOL_OFF, (*_LEAVING, CaseStep.PAPERS), None, Text("later only longer", "此后只可延长")),
    CaseMove(
        CaseEvent.MEASURE,
        (*_LEAVING, CaseStep.PAPERS),
        None,
        Text("of a period that is decided, with its paper and day", "已确定脱密期者，注明文号与日期"),
    ),
    CaseMove(
        CaseEvent.END_MEASURE,
        (*_OVER, CaseStep.PAPERS),
        None,
        Text("given back or withdrawn, after the period", "期满后归还证照或撤销备案"),
    ),
    CaseMove(CaseEvent.PAPERS, _OVER, CaseStep.PAPERS, Text("nothing is owed", "全部完成后")),
    CaseMove(CaseEvent.CLOSE, (CaseStep.PAPERS,), CaseStep.CLOSED, Text("the cooling-off period is over", "脱密期满")),
    CaseMove(CaseEvent.CLOSE, _OVER, CaseStep.CLOSED, Text("the same, where there are no papers", "无退工材料者同上")),
    CaseMove(
        CaseEvent.OVERTAKE,
        _LEAVING,
        CaseStep.CLOSED,
        Text("by a departure since that ends as much", "被终止范围不小于本案的后续离岗取代"),
    ),
    CaseMove(CaseEvent.RESUME, _OVER, None, Text("back from long leave: the first officer", "返岗：第一名管理员")),
    CaseMove(
        CaseEvent.RESUME,
        _OVER,
        CaseStep.CLOSED,
        Text("back from long leave: the second; restores nothing", "返岗：第二名管理员；不恢复任何权限"),
    ),
    CaseMove(CaseEvent.RESCIND, _UNDECIDED, CaseStep.RESCINDED, Text("one officer", "一名管理员")),
    CaseMove(CaseEvent.RESCIND, _DECIDED, None, Text("the first of two officers", "第一名管理员")),
    CaseMove(
        CaseEvent.RESCIND,
        _DECIDED,
        CaseStep.RESCINDED,
        Text("the second officer; restores nothing", "第二名管理员；不恢复任何权限"),
    ),
    CaseMove(
        CaseEvent.WITHDRAW,
        _UNDECIDED,
        CaseStep.WITHDRAWN,
        Text("the leaver's wish; one officer", "本人撤回；一名管理员"),
    ),
    CaseMove(
        CaseEvent.WITHDRAW, _DECIDED, None, Text("the leaver's wish: the first officer", "本人撤回：第一名管理员")
    ),
    CaseMove(
        CaseEvent.WITHDRAW,
        _DECIDED,
        CaseStep.WITHDRAWN,
        Text("the leaver's wish: the second; restores nothing", "本人撤回：第二名管理员；不恢复任何权限"),
    ),
    CaseMove(
        CaseEvent.RESTORE,
        (CaseStep.RESCINDED, CaseStep.WITHDRAWN, CaseStep.CLOSED),
        None,
        Text("grant by grant, two officers each", "逐项授权，各须两名管理员"),
    ),
)


def moves(event: CaseEvent, step: CaseStep) -> tuple[CaseMove, ...]:
    """Return the rows of the table for *event* at *step*; none: it is not possible there."""
    return tuple(move for move in TABLE if move.event is event and step in move.at)


def approve(case: OffboardingCase, role: str, by: str, now: datetime, opinion: str = "") -> OffboardingCase:
    """Give the next approval of the chain; the last one ends all access, at *now* or at a leave date to come."""
    may(case, CaseEvent.APPROVE, by)
    following = case.next_approver
    assert following is not None  # a case with nothing left to approve is approved
    if role != following.role:
        raise DepartureRefusedError(
            Text(
                f"the approval of `{visible(following.role)}` comes first, not of `{visible(role)}`",
                f"应先由“{following.title.zh}”审批，而不是 `{visible(role)}`",
            ),
            Text(f"approve as `{visible(following.role)}`", f"请以 `{visible(following.role)}` 审批"),
        )
    if any(approval.by == by for approval in case.approvals):
        raise DepartureRefusedError(
            Text(f"`{visible(by)}` has approved this case already", f"`{visible(by)}` 已审批过本案"),
            Text("every approval needs another person", "每一级审批须由不同人员作出"),
        )
    approvals = (*case.approvals, Approval(role, by, now, opinion))
    return replace(case, approvals=approvals, approved_at=now if len(approvals) == len(case.chain) else None)


def advance(case: OffboardingCase, to: datetime, by: str, now: datetime) -> OffboardingCase:
    """Bring the leave date forward; it ends access sooner, so one officer does. Nothing ever puts it off."""
    may(case, CaseEvent.ADVANCE, by)
    if case.effective_at is None or to >= case.effective_at:
        raise DepartureRefusedError(
            Text("a leave date is only brought forward", "离岗时间只可提前"),
            Text("have it rescinded by two officers to put it off", "如需推迟，请由两名管理员撤销后重新办理"),
        )
    return replace(case, effective_at=max(to, now), advanced=CaseRemark(by, now))


def carry_out(case: OffboardingCase, roles: Sequence[str], now: datetime) -> OffboardingCase:
    """Carry out a leave date that has come. *roles*: those the leaver holds now, beside those he held at the approval.

    The decider denies from that instant on already, by its own rule; this is what else an approval ends.
    """
    may(case, CaseEvent.CARRY_OUT, "")
    assert case.effective_at is not None
    if now < case.effective_at:
        raise DepartureRefusedError(
            Text(f"the leave date is {case.effective_at:%F %H:%M}Z", f"离岗时间为 {case.effective_at:%F %H:%M}Z"),
            Text("wait for it, or bring it forward", "请等待，或提前离岗时间"),
        )
    return replace(case, carried_out_at=now, roles=tuple(sorted({*case.roles, *roles})))


def ended(case: OffboardingCase, roles: Sequence[str], by: str) -> OffboardingCase:
    """Note that all access has ended, written down *by* whom, and the administrator *roles* the leaver holds.

    With any, the case asks for a second officer; where two people signed the approval already, it has been confirmed.
    """
    return replace(case, roles=tuple(roles), ended_by=by)


def confirm(case: OffboardingCase, by: str, now: datetime) -> OffboardingCase:
    """Confirm, as a second officer, that an administrator leaves: what runs in his name may end."""
    may(case, CaseEvent.CONFIRM, by)
    if by in case.officers:
        raise _second(by)
    return replace(case, confirmation=CaseRemark(by, now))


def send_back(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Send the case back to the leaver: it is handed in again, and every approval given so far is void."""
    may(case, CaseEvent.RETURN, by)
    said = CaseRemark(by, now, stated(reason))
    return replace(case, approvals=(), sent_back=True, returns=(*case.returns, said))


def rescind(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Take the departure back. Before the approval one officer does; after it, the second of two officers does.

    It restores nothing: what ended with the approval has ended.
    """
    may(case, CaseEvent.RESCIND, by)
    said = CaseRemark(by, now, stated(reason))
    if any(earlier.by == by for earlier in case.rescissions):
        raise _second(by)
    rescissions = (*case.rescissions, said)
    return replace(case, rescissions=rescissions, rescinded=case.approved_at is None or len(rescissions) == 2)


def withdraw(case: OffboardingCase, by: str, now: datetime, reason: str) -> OffboardingCase:
    """Take the departure back because the leaver took his notice back; as :func:`rescind`, for a notice of his own."""
    may(case, CaseEvent.WITHDRAW, by)
    if case.kind not in GIVES_NOTICE:
        raise DepartureRefusedError(
            Text(f"nobody gives notice of it: {case.kind.text.en}", f"{case.kind.text.zh}非本人提出，不能撤回"),
            Text("rescind the case", "请改为撤销本案"),
        )
    after = rescind(case, by, now, reason)
    return replace(after, withdrawn=after.rescinded)


def resume(case: OffboardingCase, by: str, now: datetime, reason: str = "") -> OffboardingCase:
    """Let somebody on long leave come back: two officers, one after the other. It restores nothing.

    A cooling-off period that was decided runs to its end first.
    """
    may(case, CaseEvent.RESUME, by)
    if case.kind is not CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Text("only who is on long leave comes back", "仅长期离岗者可返岗"),
            Text("see the status of the case", "请查看本案状态"),
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
            Text(f"the cooling-off period runs until {end:%F %H:%M}Z", f"脱密期至 {end:%F %H:%M}Z 方满"),
            Text("close the case when it has ended", "请在期满后办结"),
        )


def restore(case: OffboardingCase, grant: str, by: str, now: datetime) -> OffboardingCase:
    """Ask for one grant to be given again after a rescission or long leave, or as a second officer give it."""
    may(case, CaseEvent.RESTORE, by)
    if case.ended_at is None:
        raise DepartureRefusedError(
            Text(
                "nothing was taken: the case was rescinded before it ended anything",
                "本案在取消权限前撤销，未取消任何权限",
            ),
            Text("nothing is to be done", "无须恢复"),
        )
    if case.closed and not case.rescinded and case.kind is not CaseKind.LONG_LEAVE:
        raise DepartureRefusedError(
            Text("nothing is given back: the case is closed", "本案已办结，不恢复权限"),
            Text("give a new grant", "请另行授权"),
        )
    for asked in case.restorations:
        if asked.grant != grant:
            continue
        if asked.given_by:
            raise DepartureRefusedError(
                Text(f"grant `{visible(grant)}` has been given again", f"授权 `{visible(grant)}` 已恢复"),
                Text("see the grants of the person", "请查看此人的授权"),
            )
        if asked.asked_by == by:
            raise _second(by)
        given = replace(asked, given_by=by)
        return replace(case, restorations=tuple(given if one is asked else one for one in case.restorations))
    return replace(case, restorations=(*case.restorations, Restoration(grant, by, now)))


def may(case: OffboardingCase, event: CaseEvent, by: str) -> None:
    """Raise :class:`DepartureRefusedError` unless *by* may try *event* at this step."""
    not_own(case.person, by)
    if not moves(event, case.step):
        raise DepartureRefusedError(
            Text(
                f"`{event}` is not possible now: the case is `{case.step}` ({case.step.text.en})",
                f"现在不能执行 `{event}`：本案状态为“{case.step.text.zh}”",
            ),
            Text("see the status of the case", "请查看本案状态"),
        )


def not_own(person: str, by: str) -> None:
    """Raise :class:`DepartureRefusedError` when the leaver acts himself."""
    if by == person:
        raise DepartureRefusedError(
            Text("nobody acts on his own departure", "任何人不得办理本人的离岗"),
            Text("let somebody else do it", "请由他人办理"),
        )


def stated(reason: str) -> str:
    """Return *reason*; raise :class:`DepartureRefusedError` when it says nothing."""
    if reason.strip():
        return reason
    raise DepartureRefusedError(Text("the reason is missing", "缺少理由"), Text("say why", "请说明理由"))


def _second(by: str) -> DepartureRefusedError:
    return DepartureRefusedError(
        Text(
            f"this takes a second officer, and `{visible(by)}` is the first",
            f"须由第二名管理员确认，`{visible(by)}` 是第一名",
        ),
        Text("let another officer do the same", "请由另一名管理员执行相同操作"),
    )
