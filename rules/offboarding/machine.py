"""离岗: the procedure of a departure as a pure state machine.

Rules of this file:
- :data:`TABLE` is the procedure; a move it does not list is refused, whoever asks;
- nobody moves his own case, nobody approves twice, and the order of the chain is kept (D20-A.6.2, D20-A.6.3, D18-6.3a);
- the last approval ends all access (D20-A.6.5.2b), and no move gives any back: ``approved_at`` is never taken away;
- of an administrator it ends nothing more until a second officer confirms: no single hand removes another (D18-6.3a).

Every move takes a case and returns another one, or raises :class:`DepartureRefusedError`. ``by`` is who does it, an id
of the registry; ``now`` is the instant of the act. The duties between approval and closing are moves too, in
:mod:`rules.offboarding.duties`; how a case begins is in :mod:`rules.offboarding.opening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rules.offboarding.case import Approval, CaseRemark, OffboardingCase, Restoration
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
    "approve",
    "confirm",
    "ended",
    "may",
    "moves",
    "not_own",
    "rescind",
    "restore",
    "send_back",
    "stated",
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
_DECIDED = (CaseStep.CONFIRMATION, CaseStep.APPROVED, CaseStep.PAPERS, CaseStep.CLOSED)
_LEAVING = (CaseStep.APPROVED,)

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
    CaseMove(CaseEvent.COOL_OFF, (CaseStep.APPROVED, CaseStep.PAPERS), None, Text("later only longer", "此后只可延长")),
    CaseMove(CaseEvent.PAPERS, _LEAVING, CaseStep.PAPERS, Text("nothing is owed", "全部完成后")),
    CaseMove(CaseEvent.CLOSE, (CaseStep.PAPERS,), CaseStep.CLOSED, Text("the cooling-off period is over", "脱密期满")),
    CaseMove(
        CaseEvent.CLOSE, _LEAVING, CaseStep.CLOSED, Text("the same, where there are no papers", "无退工材料者同上")
    ),
    CaseMove(
        CaseEvent.OVERTAKE,
        _LEAVING,
        CaseStep.CLOSED,
        Text("a transfer, by a departure approved since", "调动被后续离岗取代"),
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
        CaseEvent.RESTORE,
        (CaseStep.RESCINDED,),
        None,
        Text("grant by grant, two officers each", "逐项授权，各须两名管理员"),
    ),
)


def moves(event: CaseEvent, step: CaseStep) -> tuple[CaseMove, ...]:
    """Return the rows of the table for *event* at *step*; none: it is not possible there."""
    return tuple(move for move in TABLE if move.event is event and step in move.at)


def approve(case: OffboardingCase, role: str, by: str, now: datetime, opinion: str = "") -> OffboardingCase:
    """Give the next approval of the chain; the last one ends all access at *now*."""
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


def restore(case: OffboardingCase, grant: str, by: str, now: datetime) -> OffboardingCase:
    """Ask for one grant to be given again after a rescission, or as a second officer give it."""
    may(case, CaseEvent.RESTORE, by)
    if case.approved_at is None:
        raise DepartureRefusedError(
            Text("nothing was taken: the case was rescinded before its approval", "本案在批准前撤销，未取消任何权限"),
            Text("nothing is to be done", "无须恢复"),
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
