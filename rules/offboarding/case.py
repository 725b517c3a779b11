"""One departure as frozen data: who approved, what was handed over, what was signed, what is still owed.

Rules of this file: a case carries everything it was opened with (its chain of approvers, its lines, its signatures), so
a later change of the pack alters no case that runs. The step is read off what is recorded and cannot contradict it.
Instants are aware and in UTC; ``last_day`` is a day of the site's calendar. People are the registry's own ids.
"""

from dataclasses import dataclass
from datetime import date, datetime

from rules.model import DepartureStage
from rules.offboarding.measure import Measure, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseDuty, CaseKind, CaseStep
from rules.text import Text

PERSONNEL = "hr"  # who opens a case that the personnel system brings: nobody of the registry
STAYS = frozenset(kind for kind in CaseKind if not kind.leaves_unit)  # there are no papers to release
GIVES_NOTICE = frozenset((CaseKind.RESIGNATION, CaseKind.RETIREMENT, CaseKind.REHIRED, CaseKind.TRANSFER))
GONE = frozenset({CaseKind.UNAUTHORISED, CaseKind.DEATH})  # not there: nothing can be taught, examined or signed


@dataclass(frozen=True, slots=True)
class Approver:
    """One place in the chain."""

    role: str
    title: Text


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval: in which role, by whom, when, and the opinion written on the form.

    ``written_by``: who put it on record at that instant; empty: that was not kept then. ``paper``: the number of what
    was signed by hand, where somebody else wrote it down, and ``paper_on`` the day on it.
    """

    role: str
    by: str
    at: datetime
    opinion: str = ""
    written_by: str = ""
    paper: str = ""
    paper_on: date | None = None


@dataclass(frozen=True, slots=True)
class CaseRemark:
    """Who did something, when, and why: a case sent back, a decision taken back."""

    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HandoverItem:
    """One line of the hand-over list: what goes to which department. ``missing`` says why it was written off."""

    key: str
    title: Text
    department: Text
    done_by: str = ""
    done_at: datetime | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A document the leaver signs, and who saw him sign it."""

    name: str
    title: Text
    seen_by: str = ""
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """One try at the exit exam."""

    by: str
    at: datetime
    passed: bool


@dataclass(frozen=True, slots=True)
class Period:
    """The decision on the 脱密期: its end, or ``None`` with the reason why there is none (D18-6.3b)."""

    until: datetime | None
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One ended grant that is asked for again after a rescission, and who gave it back (two officers)."""

    grant: str
    asked_by: str
    asked_at: datetime
    given_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffboardingCase:
    """离岗办理: one departure or transfer. ``chain`` is empty for a kind whose opening ends access at once.

    ``late_days``: by how many days the notice came too late (D20-A.6.1). ``needs_period``: the law leaves no choice
    about the cooling-off period. ``effective_at``: the leave date, an instant; ``None``: with the last approval.
    ``advanced``: who brought the leave date forward last. ``carried_out_at``: when the agent carried out a leave date
    that was to come. ``batch``: layoffs of one name are
    shown as one. ``resumption``: the first of two officers who let somebody back from long leave. ``reference``:
    the number of the case in the personnel system, and ``printed_class`` the class 涉密人员类别 it printed.
    ``department`` and ``post``: where a transfer leads. ``roles``: administrator roles the leaver held when access
    ended; ``ended_by``: who wrote the deciding approval down; ``confirmation``: the second officer's, which such a
    leaver takes.
    """

    id: str = ""
    person: str
    kind: CaseKind
    last_day: date
    noticed_at: datetime
    opened_by: str
    chain: tuple[Approver, ...]
    late_days: int = 0
    reason: str = ""
    reference: str = ""
    printed_class: str = ""
    department: str = ""
    post: str = ""
    approvals: tuple[Approval, ...] = ()
    approved_at: datetime | None = None
    roles: tuple[str, ...] = ()
    ended_by: str = ""
    confirmation: CaseRemark | None = None
    effective_at: datetime | None = None
    advanced: CaseRemark | None = None
    carried_out_at: datetime | None = None
    batch: str = ""
    returns: tuple[CaseRemark, ...] = ()
    sent_back: bool = False
    items: tuple[HandoverItem, ...] = ()
    needs_education: bool = False
    education: CaseRemark | None = None
    needs_exam: bool = False
    exams: tuple[Exam, ...] = ()
    signatures: tuple[Signature, ...] = ()
    needs_period: bool = False
    period: Period | None = None
    measures: tuple[Measure, ...] = ()
    taken: tuple[MeasureTaken, ...] = ()
    papers: CaseRemark | None = None
    closed: CaseRemark | None = None
    rescissions: tuple[CaseRemark, ...] = ()
    rescinded: bool = False
    withdrawn: bool = False
    resumption: CaseRemark | None = None
    restorations: tuple[Restoration, ...] = ()

    @property
    def step(self) -> CaseStep:
        """Where the case stands."""
        if self.rescinded:
            return CaseStep.WITHDRAWN if self.withdrawn else CaseStep.RESCINDED
        if self.closed:
            return CaseStep.CLOSED
        if self.papers:
            return CaseStep.PAPERS
        if self.scheduled:
            return CaseStep.SCHEDULED
        if self.approved_at:
            return CaseStep.CONFIRMATION if self.unconfirmed else CaseStep.APPROVED
        if self.sent_back:
            return CaseStep.RETURNED
        return CaseStep.APPROVAL if self.approvals else CaseStep.NOTICE

    @property
    def stage(self) -> DepartureStage:
        """What a decision is told: the stage of :class:`rules.model.Departure`."""
        if self.closed:
            return DepartureStage.CLOSED
        if self.ended_at and self.period and self.period.until:
            return DepartureStage.COOLING_OFF
        return DepartureStage.APPROVED if self.approved_at else DepartureStage.NOTICE

    @property
    def scheduled(self) -> bool:
        """Whether it is approved, and its leave date has not been carried out."""
        ahead = self.approved_at is not None and self.effective_at is not None and self.effective_at > self.approved_at
        return ahead and self.carried_out_at is None

    @property
    def ended_at(self) -> datetime | None:
        """Since when all access is over; ``None`` before the approval, and while the leave date is to come."""
        if self.approved_at is None or self.scheduled:
            return None
        return max(self.approved_at, self.effective_at or self.approved_at)

    @property
    def ended_by_hand(self) -> bool:
        """Whether access ended because somebody brought the leave date forward to the very instant of doing so."""
        return bool(self.advanced and self.ended_at and self.advanced.at >= self.ended_at)

    @property
    def unconfirmed(self) -> bool:
        """Whether it is approved and a second officer has to confirm before anything but the access ends."""
        return self.approved_at is not None and bool(self.roles) and self.confirmation is None

    def gives_way_to(self, kind: CaseKind) -> bool:
        """Whether a case of *kind*, of the same person, takes its place when that one ends access.

        Nothing is left to decide, and that one ends as much. Of two that reach as far, what is still scheduled gives
        way, and what passes; whoever has left the unit has left it.
        """
        if self.kind.reach == kind.reach:
            return self.step is CaseStep.SCHEDULED or (kind.passes and self.step is CaseStep.APPROVED)
        return self.kind.reach < kind.reach and self.step in (CaseStep.SCHEDULED, CaseStep.APPROVED)

    def runs_beside(self, kind: CaseKind) -> bool:
        """Whether a case of *kind*, of the same person, may be opened while this one runs.

        A wider one may, because it will overtake this one; a narrower one may until this one's leave date has come.
        """
        if self.kind.reach < kind.reach:
            return self.gives_way_to(kind)
        return self.kind.reach > kind.reach and self.step is CaseStep.SCHEDULED

    def overtook(self, other: "OffboardingCase") -> bool:
        """Whether the approval or the leave date of this case closed *other*, which one act does at one instant."""
        over = other.closed and other.person == self.person and other.id != self.id
        return bool(over) and other.closed is not None and other.closed.at in (self.approved_at, self.carried_out_at)

    @property
    def officers(self) -> frozenset[str]:
        """Who answers for the end of access: every approver, who wrote the last one down, and who confirmed."""
        opener = () if self.chain else (self.opened_by,)
        confirmed = (self.confirmation.by,) if self.confirmation else ()
        return frozenset((*opener, *(given.by for given in self.approvals), self.ended_by, *confirmed)) - {""}

    @property
    def next_approver(self) -> Approver | None:
        """Whose approval comes next."""
        return self.chain[len(self.approvals)] if len(self.approvals) < len(self.chain) else None

    @property
    def owed(self) -> tuple[CaseDuty, ...]:
        """What still has to be done before papers and closing; nothing, once the case is over for whatever reason."""
        if self.closed or self.rescinded:
            return ()
        there = self.kind not in GONE
        open_duties = {
            CaseDuty.HAND_OVER: any(item.done_at is None for item in self.items),
            CaseDuty.EDUCATION: there and self.needs_education and self.education is None,
            CaseDuty.EXAM: there and self.needs_exam and not (self.exams and self.exams[-1].passed),
            CaseDuty.SIGNATURES: there and any(paper.signed_at is None for paper in self.signatures),
            CaseDuty.COOLING_OFF: self.period is None and self.kind is not CaseKind.DEATH,
            CaseDuty.MEASURES: bool(self.measures_owed),
        }
        return tuple(duty for duty, is_open in open_duties.items() if is_open)

    @property
    def measures_owed(self) -> tuple[Measure, ...]:
        """What has to be done once for a cooling-off period that was decided; visits go on and keep nothing back."""
        if not (self.period and self.period.until):
            return ()
        done = {one.measure for one in self.taken}
        return tuple(one for one in self.measures if one.name not in done and one.kind is not MeasureKind.VISIT)

    @property
    def measures_open(self) -> tuple[MeasureTaken, ...]:
        """What is given back or withdrawn after the period: passports held, and the filing."""
        ending = {one.name for one in self.measures if one.kind.ends}
        return tuple(
            one for one in self.taken if one.measure in ending and one.ended is None and (one.item or one.paper)
        )

    @property
    def has_papers(self) -> bool:
        """Whether papers are released at the end: not to who stays with the unit, nor to who is gone."""
        return self.kind not in STAYS | GONE
