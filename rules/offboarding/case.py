"""Offboarding cases as frozen data: approvals, hand-over, signatures, and the duties that are still open.

Rules of this file: a case carries everything it was opened with (its chain of approvers, its lines, its signatures), so
a later change of the pack does not alter a running case. The step is derived from the recorded data and cannot
contradict it. Instants are aware and in UTC; ``last_day`` is a day of the site's calendar. People are registry ids.
"""

from dataclasses import dataclass
from datetime import date, datetime

from rules.model import DepartureStage
from rules.offboarding.measure import Measure, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseDuty, CaseKind, CaseStep
from rules.text import Sentence

PERSONNEL = "hr"  # the opener of a case from the personnel system: no person of the registry
STAYS = frozenset(kind for kind in CaseKind if not kind.leaves_unit)  # there are no papers to release
GIVES_NOTICE = frozenset((CaseKind.RESIGNATION, CaseKind.RETIREMENT, CaseKind.REHIRED, CaseKind.TRANSFER))
GONE = frozenset({CaseKind.UNAUTHORISED, CaseKind.DEATH})  # absent: nothing can be taught, examined or signed


@dataclass(frozen=True, slots=True)
class Approver:
    """One place in the chain."""

    role: str
    title: Sentence


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval: its role, approver, time, and the opinion written on the form.

    ``written_by``: the person who recorded it at that instant; empty: not recorded then. ``paper``: the number of the
    document signed by hand, where another person recorded it, and ``paper_on`` the day on it.
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
    """The person, time and reason of an act: a case returned, a decision rescinded."""

    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HandoverItem:
    """One line of the hand-over list and its receiving department. ``missing`` is the reason why it was written off."""

    key: str
    title: Sentence
    department: Sentence
    done_by: str = ""
    done_at: datetime | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A document that the leaver signs, and the witness of the signature."""

    name: str
    title: Sentence
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
    """One ended grant whose restoration is requested after a rescission, and its confirmation (two officers)."""

    grant: str
    asked_by: str
    asked_at: datetime
    given_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffboardingCase:
    """离岗离职办理: one departure or transfer. ``chain`` is empty for a kind whose opening ends access at once.

    ``late_days``: by how many days the notice came too late (D20-A.6.1). ``needs_period``: the law requires a
    cooling-off period. ``effective_at``: the leave date, an instant; ``None``: with the last approval. ``advanced``:
    the last advance of the leave date. ``carried_out_at``: when the agent carried out a future leave date. ``batch``:
    layoffs of one name are shown as one. ``resumption``: the first of two officers who confirm the return from long
    leave. ``reference``: the number of the case in the personnel system, and ``printed_class`` the class
    涉密人员类别 printed there. ``department`` and ``post``: the target of a transfer. ``roles``: administrator
    roles of the leaver when access ended; ``ended_by``: the person who recorded the deciding approval;
    ``confirmation``: the second officer's, which such a leaver requires.
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
        """The step of the case."""
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
        """The stage of :class:`rules.model.Departure` that decisions use."""
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
        """The end of all access; ``None`` before the approval, and before a future leave date."""
        if self.approved_at is None or self.scheduled:
            return None
        return max(self.approved_at, self.effective_at or self.approved_at)

    @property
    def ended_by_hand(self) -> bool:
        """Whether access ended because an officer brought the leave date forward to that very instant."""
        return bool(self.advanced and self.ended_at and self.advanced.at >= self.ended_at)

    @property
    def unconfirmed(self) -> bool:
        """Whether it is approved and a second officer has to confirm before anything but the access ends."""
        return self.approved_at is not None and bool(self.roles) and self.confirmation is None

    def gives_way_to(self, kind: CaseKind) -> bool:
        """Whether a case of *kind*, of the same person, supersedes this one when that one ends access.

        This one must be decided, and that one must end as much. Of two with the same reach, one that is still scheduled
        or a passing kind gives way; a departure from the unit never does.
        """
        if self.kind.reach == kind.reach:
            return self.step is CaseStep.SCHEDULED or (kind.passes and self.step is CaseStep.APPROVED)
        return self.kind.reach < kind.reach and self.step in (CaseStep.SCHEDULED, CaseStep.APPROVED)

    def runs_beside(self, kind: CaseKind) -> bool:
        """Whether a case of *kind*, of the same person, may be opened while this one runs.

        A wider one may, because it will supersede this one; a narrower one may before this one's leave date.
        """
        if self.kind.reach < kind.reach:
            return self.gives_way_to(kind)
        return self.kind.reach > kind.reach and self.step is CaseStep.SCHEDULED

    def overtook(self, overtaken: "OffboardingCase") -> bool:
        """Whether the approval or the leave date of this case closed *overtaken*, which one act does at one instant."""
        over = overtaken.closed and overtaken.person == self.person and overtaken.id != self.id
        return (
            bool(over)
            and overtaken.closed is not None
            and overtaken.closed.at in (self.approved_at, self.carried_out_at)
        )

    @property
    def officers(self) -> frozenset[str]:
        """The people who answer for the end of access: approvers, recorder of the last approval, confirmer."""
        opener = () if self.chain else (self.opened_by,)
        confirmed = (self.confirmation.by,) if self.confirmation else ()
        return frozenset((*opener, *(approval.by for approval in self.approvals), self.ended_by, *confirmed)) - {""}

    @property
    def next_approver(self) -> Approver | None:
        """The next approver of the chain."""
        return self.chain[len(self.approvals)] if len(self.approvals) < len(self.chain) else None

    @property
    def owed(self) -> tuple[CaseDuty, ...]:
        """The open duties before papers and closing; none once the case is over for any reason."""
        if self.closed or self.rescinded:
            return ()
        present = self.kind not in GONE
        open_duties = {
            CaseDuty.HAND_OVER: any(line.done_at is None for line in self.items),
            CaseDuty.EDUCATION: present and self.needs_education and self.education is None,
            CaseDuty.EXAM: present and self.needs_exam and not (self.exams and self.exams[-1].passed),
            CaseDuty.SIGNATURES: present and any(paper.signed_at is None for paper in self.signatures),
            CaseDuty.COOLING_OFF: self.period is None and self.kind is not CaseKind.DEATH,
            CaseDuty.MEASURES: bool(self.measures_owed),
        }
        return tuple(duty for duty, is_open in open_duties.items() if is_open)

    @property
    def measures_owed(self) -> tuple[Measure, ...]:
        """The one-time measures still open for a decided cooling-off period; visits recur and block nothing."""
        if not (self.period and self.period.until):
            return ()
        recorded = {measure.measure for measure in self.taken}
        return tuple(
            measure
            for measure in self.measures
            if measure.name not in recorded and measure.kind is not MeasureKind.VISIT
        )

    @property
    def measures_open(self) -> tuple[MeasureTaken, ...]:
        """The entries to return or withdraw after the period: passports held, and the filing."""
        ending = {entry.name for entry in self.measures if entry.kind.ends}
        return tuple(
            entry
            for entry in self.taken
            if entry.measure in ending and entry.ended is None and (entry.item or entry.paper)
        )

    @property
    def has_papers(self) -> bool:
        """Whether papers are released at the end: not for a person who stays with the unit, is absent or has died."""
        return self.kind not in STAYS | GONE
