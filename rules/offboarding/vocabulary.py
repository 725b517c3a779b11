"""The words of a departure 离岗: why somebody leaves, where his case stands, what is still owed, what can happen.

Rules of this file: words only, each with the text a person reads. A word is part of the product (it stands in the
registry and in logs for years) and never changes its meaning.
"""

from enum import StrEnum

from rules.text import Text


class CaseKind(StrEnum):
    """Why somebody leaves a post or the unit."""

    RESIGNATION = "resignation"
    RETIREMENT = "retirement"
    REHIRED = "rehired"  # retires and is hired again: leaves the post, and starts anew in what he is given then
    TRANSFER = "transfer"  # stays with the unit, in another post (D03-2.10, D06-4.10)
    LONG_LEAVE = "long-leave"  # secondment, study, illness: leaves the post for long, and may return to it
    DISMISSAL = "dismissal"  # by a sanction (D09-4)
    LAYOFF = "layoff"  # of several at once: their notices are one batch
    UNFIT = "unfit"  # found unfit for a secret post in an inspection (D18-5.3); stays with the unit
    UNAUTHORISED = "unauthorised"  # is gone without leave; hands nothing over and signs nothing
    DEATH = "death"

    @property
    def text(self) -> Text:
        """The word a person reads."""
        return _KINDS[self]

    @property
    def leaves_unit(self) -> bool:
        """离职, the person leaves the unit; else 离岗, only the post. It decides who keeps the cooling-off period."""
        return self not in _STAYING

    @property
    def passes(self) -> bool:
        """Whether it stops counting once its case is closed, so that the person can be given access anew."""
        return self in _PASSING

    @property
    def reach(self) -> int:
        """How much it ends, as an order: 0 what the post gave, 1 holding any secret post, 2 belonging to the unit.

        Of each reach one case of a person runs at a time; the wider one takes the place of the narrower when it ends
        access (:meth:`rules.offboarding.case.OffboardingCase.gives_way_to`). The registry's index has the same order.
        """
        return 2 if self.leaves_unit else 0 if self.passes else 1


class CaseStep(StrEnum):
    """Where a case stands. From ``CONFIRMATION`` on all access is over, and no step after it gives any back."""

    NOTICE = "notice"
    APPROVAL = "approval"  # some approvals are there, the last one is not
    RETURNED = "returned"  # sent back to the leaver; approvals begin anew
    SCHEDULED = "scheduled"  # approved, and the leave date is to come: access ends then, whoever is awake
    CONFIRMATION = "confirmation"  # of an administrator: access is denied, a second officer lets the rest end
    APPROVED = "approved"  # everything has ended; the duties of leaving are done, in any order
    PAPERS = "papers"  # the papers are released; the case waits for the end of the cooling-off period
    CLOSED = "closed"
    RESCINDED = "rescinded"
    WITHDRAWN = "withdrawn"  # rescinded because the leaver took his notice back

    @property
    def text(self) -> Text:
        """The word a person reads."""
        return _STEPS[self]


class CaseDuty(StrEnum):
    """What is owed between approval and papers. No regulation prints an order among these, so none is asked for."""

    HAND_OVER = "hand-over"
    EDUCATION = "education"
    EXAM = "exam"
    SIGNATURES = "signatures"
    COOLING_OFF = "cooling-off"
    MEASURES = "measures"  # of the cooling-off period: entrusted, passports held, filed with border control

    @property
    def text(self) -> Text:
        """The words a person reads."""
        return _DUTIES[self]


class CaseEvent(StrEnum):
    """What can happen to a case. The command line has the same words: ``case hand-over …``."""

    OPEN = "open"
    APPROVE = "approve"
    ADVANCE = "advance"
    CARRY_OUT = "carry-out"  # by the agent, when the leave date has come
    CONFIRM = "confirm"
    RETURN = "return"
    ADD_LINE = "add-line"
    HAND_OVER = "hand-over"
    EDUCATE = "educate"
    EXAM = "exam"
    SIGN = "sign"
    COOL_OFF = "cool-off"
    MEASURE = "measure"
    END_MEASURE = "end-measure"
    PAPERS = "papers"
    CLOSE = "close"
    OVERTAKE = "overtake"  # by another case that ends as much, and by nothing else
    RESCIND = "rescind"
    WITHDRAW = "withdraw"
    RESUME = "resume"  # somebody on long leave is back
    RESTORE = "restore"


_PASSING = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED, CaseKind.LONG_LEAVE))
_STAYING = _PASSING | {CaseKind.UNFIT}
_KINDS = {
    CaseKind.RESIGNATION: Text("resignation", "辞职"),
    CaseKind.RETIREMENT: Text("retirement", "退休"),
    CaseKind.REHIRED: Text("retirement with rehire", "退休返聘"),
    CaseKind.TRANSFER: Text("transfer", "调动"),
    CaseKind.LONG_LEAVE: Text("long leave", "长期离岗"),
    CaseKind.DISMISSAL: Text("dismissal", "辞退"),
    CaseKind.LAYOFF: Text("layoff", "裁员"),
    CaseKind.UNFIT: Text("unfit for the post", "不宜留岗"),
    CaseKind.UNAUTHORISED: Text("left without leave", "擅自离岗"),
    CaseKind.DEATH: Text("death", "死亡"),
}
_STEPS = {
    CaseStep.NOTICE: Text("notice given", "已提出"),
    CaseStep.APPROVAL: Text("being approved", "审批中"),
    CaseStep.RETURNED: Text("sent back", "已退回"),
    CaseStep.SCHEDULED: Text("approved: access ends at the leave date", "已批准，权限到期取消"),
    CaseStep.CONFIRMATION: Text("access is over; a second officer confirms", "权限已取消，待第二名管理员确认"),
    CaseStep.APPROVED: Text("approved: access is over", "已批准，权限已取消"),
    CaseStep.PAPERS: Text("papers released", "已发退工材料"),
    CaseStep.CLOSED: Text("closed", "已办结"),
    CaseStep.RESCINDED: Text("rescinded", "已撤销"),
    CaseStep.WITHDRAWN: Text("notice withdrawn", "已撤回"),
}
_DUTIES = {
    CaseDuty.HAND_OVER: Text("hand-over", "移交清退"),
    CaseDuty.EDUCATION: Text("exit education", "离职保密教育"),
    CaseDuty.EXAM: Text("exit exam", "离岗考核"),
    CaseDuty.SIGNATURES: Text("signatures", "签署文件"),
    CaseDuty.COOLING_OFF: Text("cooling-off period decided", "确定脱密期"),
    CaseDuty.MEASURES: Text("measures of the cooling-off period", "脱密期管理措施"),
}
