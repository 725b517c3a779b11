"""Vocabulary of offboarding 离岗离职: kinds of departure, steps of a case, duties and events.

Rules of this file: enumerations only, each member with its sentence. A value is part of the product (it stands in the
registry and in logs for years) and never changes its meaning.
"""

from enum import StrEnum

from rules.text import Message, Sentence


class CaseKind(StrEnum):
    """The reasons for leaving a post or the unit."""

    RESIGNATION = "resignation"
    RETIREMENT = "retirement"
    REHIRED = "rehired"  # retires and is hired again: leaves the post, and starts anew in the next one
    TRANSFER = "transfer"  # stays with the unit, in another post (D03-2.10, D06-4.10)
    LONG_LEAVE = "long-leave"  # secondment, study, illness: leaves the post for long, and may return to it
    DISMISSAL = "dismissal"  # by a sanction (D09-4)
    LAYOFF = "layoff"  # of several at once: their notices are one batch
    UNFIT = "unfit"  # found unfit for a secret post in an inspection (D18-5.3); stays with the unit
    UNAUTHORISED = "unauthorised"  # absent without leave; hands nothing over and signs nothing
    DEATH = "death"

    @property
    def text(self) -> Sentence:
        """The sentence of this kind."""
        return _KINDS[self]

    @property
    def leaves_unit(self) -> bool:
        """离职, the person leaves the unit; else 离岗, only the post. It decides who keeps the cooling-off period."""
        return self not in _STAYING

    @property
    def passes(self) -> bool:
        """Whether it stops counting once its case is closed, so that the person can be given access again."""
        return self in _PASSING

    @property
    def reach(self) -> int:
        """The scope that it ends, as an order: 0 the post, 1 holding any secret post, 2 belonging to the unit.

        For each reach one case of a person runs at a time; the wider one supersedes the narrower when it ends access
        (:meth:`rules.offboarding.case.OffboardingCase.gives_way_to`). The registry's index has the same order.
        """
        return 2 if self.leaves_unit else 0 if self.passes else 1


class CaseStep(StrEnum):
    """The steps of a case. From ``CONFIRMATION`` on all access is over, and no later step restores any."""

    NOTICE = "notice"
    APPROVAL = "approval"  # some approvals are given, the last one is not
    RETURNED = "returned"  # returned to the leaver; approvals start again
    SCHEDULED = "scheduled"  # approved, with a future leave date: access ends then, even if no process runs
    CONFIRMATION = "confirmation"  # for an administrator: access is denied, a second officer confirms the rest
    APPROVED = "approved"  # everything has ended; the duties of leaving are done, in any order
    PAPERS = "papers"  # the papers are released; the case waits for the end of the cooling-off period
    CLOSED = "closed"
    RESCINDED = "rescinded"
    WITHDRAWN = "withdrawn"  # rescinded because the leaver withdrew their notice

    @property
    def text(self) -> Sentence:
        """The sentence of this step."""
        return _STEPS[self]


class CaseDuty(StrEnum):
    """The duties between approval and papers. No regulation prescribes an order among these, so none is required."""

    HAND_OVER = "hand-over"
    EDUCATION = "education"
    EXAM = "exam"
    SIGNATURES = "signatures"
    COOLING_OFF = "cooling-off"
    MEASURES = "measures"  # of the cooling-off period: entrusted, passports held, filed with border control

    @property
    def text(self) -> Sentence:
        """The sentence of this duty."""
        return _DUTIES[self]


class CaseEvent(StrEnum):
    """The events of a case. The command line uses the same words: ``case hand-over …``."""

    OPEN = "open"
    APPROVE = "approve"
    ADVANCE = "advance"
    CARRY_OUT = "carry-out"  # by the agent, when the leave date is reached
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
    RESUME = "resume"  # return from long leave
    RESTORE = "restore"


_PASSING = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED, CaseKind.LONG_LEAVE))
_STAYING = _PASSING | {CaseKind.UNFIT}
_KINDS = {
    CaseKind.RESIGNATION: Message("departure.kind-resignation"),
    CaseKind.RETIREMENT: Message("departure.kind-retirement"),
    CaseKind.REHIRED: Message("departure.kind-rehired"),
    CaseKind.TRANSFER: Message("departure.kind-transfer"),
    CaseKind.LONG_LEAVE: Message("departure.kind-long-leave"),
    CaseKind.DISMISSAL: Message("departure.kind-dismissal"),
    CaseKind.LAYOFF: Message("departure.kind-layoff"),
    CaseKind.UNFIT: Message("departure.kind-unfit"),
    CaseKind.UNAUTHORISED: Message("departure.kind-unauthorised"),
    CaseKind.DEATH: Message("departure.kind-death"),
}
_STEPS = {
    CaseStep.NOTICE: Message("common.notice-given"),
    CaseStep.APPROVAL: Message("departure.step-approval"),
    CaseStep.RETURNED: Message("departure.step-returned"),
    CaseStep.SCHEDULED: Message("departure.step-scheduled"),
    CaseStep.CONFIRMATION: Message("departure.step-confirmation"),
    CaseStep.APPROVED: Message("departure.step-approved"),
    CaseStep.PAPERS: Message("departure.step-papers"),
    CaseStep.CLOSED: Message("common.case-closed"),
    CaseStep.RESCINDED: Message("departure.step-rescinded"),
    CaseStep.WITHDRAWN: Message("departure.step-withdrawn"),
}
_DUTIES = {
    CaseDuty.HAND_OVER: Message("common.hand-over"),
    CaseDuty.EDUCATION: Message("common.exit-education"),
    CaseDuty.EXAM: Message("departure.duty-exam"),
    CaseDuty.SIGNATURES: Message("common.signatures"),
    CaseDuty.COOLING_OFF: Message("departure.duty-cooling-off"),
    CaseDuty.MEASURES: Message("departure.duty-measures"),
}
