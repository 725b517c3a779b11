"""Cases and everything that can be tried on them, shared by the departure tests.

A try is an event with its arguments, drawn without asking whether it is allowed: wrong roles, the leaver himself,
people who have approved already. What the machine takes of it is the machine's business, and what the laws are about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from rules.model import Clearance, Employment, Level, Person
from rules.offboarding import cooling_off, duties, machine, opening
from rules.offboarding.case import HandoverItem, OffboardingCase
from rules.offboarding.machine import DepartureRefusedError
from rules.offboarding.measure import Keeper, Measure, MeasureEnd, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseDuty, CaseEvent, CaseKind
from rules.pack.reader import Pack
from rules.text import Text
from tests.rules.strategies import shipped
from tests.sentences import en, zh

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = NOW.date()
LAST_DAY = date(2026, 12, 31)
LEAVER = "E1"
PEOPLE = (LEAVER, "E2", "E3", "E4", "E5", "E6", "E7")
PACKS = {name: shipped(name) for name in ("minimal", "company", "state")}
WORDS = (
    "work",
    "papers",
    "passwords",
    "badge",
    "keys",
    "devices",
    "media",
    "agreement",
    "pledge",
    "bilateral",
    "more",
    "entrust",
    "border",
    "passports",
    "visit",
)
ROLES = (
    "head",
    "superior",
    "administration",
    "administration_head",
    "deputy",
    "general_manager",
    "officer",
    "hr-1",
    "",
)


def leaver(level: Level = Level.SECRET, employment: Employment = Employment.REGULAR, department: str = "rd") -> Person:
    return Person(
        LEAVER, department=department, employment=employment, clearances=(Clearance("state", level, "", "boss"),)
    )


def opened(
    pack: str | Pack = "company",
    kind: CaseKind = CaseKind.RESIGNATION,
    last_day: date = LAST_DAY,
    effective_at: datetime | None = None,
) -> OffboardingCase:
    rules = PACKS[pack] if isinstance(pack, str) else pack
    to = "archive" if kind is CaseKind.TRANSFER else ""
    effective_at = effective_at if opening.chain(rules, kind) else None
    return opening.open_case(rules, leaver(), kind, last_day, "E9", NOW, department=to, effective_at=effective_at)


def approved(
    pack: str = "company", kind: CaseKind = CaseKind.RESIGNATION, effective_at: datetime | None = None
) -> OffboardingCase:
    case = opened(pack, kind, effective_at=effective_at)
    for place, by in zip(case.chain, PEOPLE[1:], strict=False):
        case = machine.approve(case, place.role, by, NOW)
    return case


def settled(case: OffboardingCase, but: str = "") -> OffboardingCase:
    """Do everything the leaver owes, *but* one line."""
    for item in (one for one in case.items if one.key != but):
        case = duties.hand_over(case, item.key, "E8", NOW)
    if CaseDuty.EDUCATION in case.owed:
        case = duties.educate(case, "E8", NOW)
    if CaseDuty.EXAM in case.owed:
        case = duties.examine(case, "E8", NOW, passed=True)
    for paper in case.signatures:
        case = duties.sign(case, paper.name, "E8", NOW)
    case = duties.decide_period(case, (case.effective_at or NOW) + 100 * DAY, "E8", NOW)
    for measure in case.measures_owed:
        case = cooling_off.take(case, taken(measure), NOW.date())
    return case


def taken(measure: Measure, by: str = "E8", item: str = "passport", day: date = TODAY) -> MeasureTaken:
    """What is recorded of *measure* when it is done as it should be."""
    return MeasureTaken(
        measure=measure.name,
        by=by,
        at=NOW,
        day=day,
        paper="7",
        party="bureau",
        item=item if measure.kind is MeasureKind.PASSPORT else "",
        keeper=Keeper.AUTHORITY if measure.kind is MeasureKind.ENTRUST else None,
    )


@dataclass(frozen=True)
class Try:
    """One thing somebody tries."""

    event: CaseEvent
    by: str
    word: str
    role: str
    yes: bool
    later: timedelta
    roles: tuple[str, ...] = ()

    def on(self, case: OffboardingCase, pack: Pack, now: datetime) -> OffboardingCase:
        """Return what came of it: the case as it was, when it was refused."""
        try:
            after = _TRIES[self.event](self, case, pack, now)
        except DepartureRefusedError as refused:
            if not all(say(part) for part in (refused.text, refused.hint) for say in (en, zh)):
                raise
            return case
        over = after.approved_at and not case.approved_at
        return machine.ended(after, self.roles, self.by) if over else after

    @property
    def until(self) -> timedelta | None:
        return self.later if self.yes else None


def _hand_over(tried: Try, case: OffboardingCase, _pack: Pack, now: datetime) -> OffboardingCase:
    if tried.yes:
        return duties.hand_over(case, tried.word, tried.by, now)
    return duties.write_off(case, tried.word, tried.by, now, tried.role)


def _approve(tried: Try, case: OffboardingCase, pack: Pack, now: datetime) -> OffboardingCase:
    if tried.role == "hr-1":
        return opening.by_notice(pack, case, (tried.by, tried.word), now)
    following = case.next_approver
    role = following.role if tried.yes and following else tried.role
    return machine.approve(case, role, tried.by, now, tried.word)


def _measure(tried: Try, case: OffboardingCase, _pack: Pack, now: datetime) -> OffboardingCase:
    asked = [one for one in case.measures if one.name == tried.word] or [Measure(tried.word, MeasureKind.VISIT, _A)]
    done = replace(taken(asked[0], tried.by, tried.word, now.date()), at=now)
    return cooling_off.take(case, done if tried.yes else replace(done, paper="", item=""), now.date())


def _end_measure(tried: Try, case: OffboardingCase, _pack: Pack, now: datetime) -> OffboardingCase:
    word = tried.word if tried.yes else "passports"
    return cooling_off.end(case, word, "", MeasureEnd(tried.by, now, now.date(), "8"), now.date())


_A = Text("a", "甲")
_TRIES: dict[CaseEvent, Callable[[Try, OffboardingCase, Pack, datetime], OffboardingCase]] = {
    CaseEvent.OPEN: lambda t, c, pack, now: opening.hand_in_again(c, pack, LAST_DAY, t.by, now),
    CaseEvent.APPROVE: _approve,
    CaseEvent.ADVANCE: lambda t, c, _, now: machine.advance(c, now + t.later, t.by, now),
    CaseEvent.CARRY_OUT: lambda t, c, _, now: machine.carry_out(c, t.roles, now),
    CaseEvent.CONFIRM: lambda t, c, _, now: machine.confirm(c, t.by, now),
    CaseEvent.RETURN: lambda t, c, _, now: machine.send_back(c, t.by, now, t.role),
    CaseEvent.ADD_LINE: lambda t, c, _, now: duties.add_item(
        c, HandoverItem(t.word, Text("a", "b"), Text("a", "b")), t.by
    ),
    CaseEvent.HAND_OVER: _hand_over,
    CaseEvent.EDUCATE: lambda t, c, _, now: duties.educate(c, t.by, now, t.word),
    CaseEvent.EXAM: lambda t, c, _, now: duties.examine(c, t.by, now, passed=t.yes),
    CaseEvent.SIGN: lambda t, c, _, now: duties.sign(c, t.word, t.by, now),
    CaseEvent.COOL_OFF: lambda t, c, _, now: duties.decide_period(
        c, None if t.until is None else now + t.until, t.by, now, t.role
    ),
    CaseEvent.MEASURE: _measure,
    CaseEvent.END_MEASURE: _end_measure,
    CaseEvent.PAPERS: lambda t, c, _, now: duties.release_papers(c, t.by, now),
    CaseEvent.CLOSE: lambda t, c, _, now: duties.close(c, t.by, now),
    CaseEvent.OVERTAKE: lambda t, c, _, now: opening.overtake(
        c, CaseKind.TRANSFER if t.yes else CaseKind.RESIGNATION, t.by, now
    ),
    CaseEvent.RESCIND: lambda t, c, _, now: machine.rescind(c, t.by, now, t.role),
    CaseEvent.WITHDRAW: lambda t, c, _, now: machine.withdraw(c, t.by, now, t.role),
    CaseEvent.RESUME: lambda t, c, _, now: machine.resume(c, t.by, now, t.role),
    CaseEvent.RESTORE: lambda t, c, _, now: machine.restore(c, t.word, t.by, now),
}

lasts = st.sampled_from([timedelta(0), -DAY, DAY, 3 * DAY, 30 * DAY])


@st.composite
def tries(draw: st.DrawFn, events: tuple[CaseEvent, ...] = tuple(CaseEvent)) -> Try:
    return Try(
        draw(st.sampled_from(events)),
        draw(st.sampled_from(PEOPLE)),
        draw(st.sampled_from(WORDS)),
        draw(st.sampled_from(ROLES)),
        draw(st.booleans()),
        draw(lasts),
        draw(st.sampled_from([(), ("security",)])),
    )
