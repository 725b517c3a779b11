"""Cases and everything that can be tried on them, shared by the departure tests.

A try is an event with its arguments, drawn without asking whether it is allowed: wrong roles, the leaver himself,
people who have approved already. What the machine takes of it is the machine's business, and what the laws are about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from strategies import shipped

from rules.model import Clearance, Employment, Level, Person
from rules.offboarding import duties as departure_duties
from rules.offboarding import machine as departure
from rules.offboarding import opening as departure_open
from rules.offboarding.case import Case, Item
from rules.offboarding.machine import DepartureRefused
from rules.offboarding.vocabulary import Duty, Event, Kind
from rules.pack.reader import Pack
from rules.text import Text

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
LAST_DAY = date(2026, 12, 31)
LEAVER = "E1"
PEOPLE = (LEAVER, "E2", "E3", "E4", "E5", "E6", "E7")
PACKS = {name: shipped(name) for name in ("minimal", "company", "state")}
WORDS = ("work", "papers", "passwords", "badge", "keys", "devices", "media", "agreement", "pledge", "bilateral", "more")
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


def opened(pack: str | Pack = "company", kind: Kind = Kind.RESIGNATION, last_day: date = LAST_DAY) -> Case:
    rules = PACKS[pack] if isinstance(pack, str) else pack
    to = "archive" if kind is Kind.TRANSFER else ""
    return departure_open.open_case(rules, leaver(), kind, last_day, "E9", NOW, department=to)


def approved(pack: str = "company", kind: Kind = Kind.RESIGNATION) -> Case:
    case = opened(pack, kind)
    for place, by in zip(case.chain, PEOPLE[1:], strict=False):
        case = departure.approve(case, place.role, by, NOW)
    return case


def settled(case: Case, but: str = "") -> Case:
    """Do everything the leaver owes, *but* one line."""
    for item in (one for one in case.items if one.key != but):
        case = departure_duties.hand_over(case, item.key, "E8", NOW)
    if Duty.EDUCATION in case.owed:
        case = departure_duties.educate(case, "E8", NOW)
    if Duty.EXAM in case.owed:
        case = departure_duties.examine(case, "E8", NOW, passed=True)
    for paper in case.signatures:
        case = departure_duties.sign(case, paper.name, "E8", NOW)
    return departure_duties.decide_period(case, NOW + 100 * DAY, "E8", NOW)


@dataclass(frozen=True)
class Try:
    """One thing somebody tries."""

    event: Event
    by: str
    word: str
    role: str
    yes: bool
    later: timedelta
    roles: tuple[str, ...] = ()

    def on(self, case: Case, pack: Pack, now: datetime) -> Case:
        """Return what came of it: the case as it was, when it was refused."""
        try:
            after = _TRIES[self.event](self, case, pack, now)
        except DepartureRefused as refused:
            if not all((*refused.text, *refused.hint)):
                raise
            return case
        over = after.approved_at and not case.approved_at
        return departure.ended(after, self.roles, self.by) if over else after

    @property
    def until(self) -> timedelta | None:
        return self.later if self.yes else None


def _hand_over(tried: Try, case: Case, _pack: Pack, now: datetime) -> Case:
    if tried.yes:
        return departure_duties.hand_over(case, tried.word, tried.by, now)
    return departure_duties.write_off(case, tried.word, tried.by, now, tried.role)


def _approve(tried: Try, case: Case, pack: Pack, now: datetime) -> Case:
    if tried.role == "hr-1":
        return departure_open.by_notice(pack, case, (tried.by, tried.word), now)
    following = case.next_approver
    role = following.role if tried.yes and following else tried.role
    return departure.approve(case, role, tried.by, now, tried.word)


_TRIES: dict[Event, Callable[[Try, Case, Pack, datetime], Case]] = {
    Event.OPEN: lambda t, c, pack, now: departure_open.hand_in_again(c, pack, LAST_DAY, t.by, now),
    Event.APPROVE: _approve,
    Event.CONFIRM: lambda t, c, _, now: departure.confirm(c, t.by, now),
    Event.RETURN: lambda t, c, _, now: departure.send_back(c, t.by, now, t.role),
    Event.ADD_LINE: lambda t, c, _, now: departure_duties.add_item(
        c, Item(t.word, Text("a", "b"), Text("a", "b")), t.by
    ),
    Event.HAND_OVER: _hand_over,
    Event.EDUCATE: lambda t, c, _, now: departure_duties.educate(c, t.by, now, t.word),
    Event.EXAM: lambda t, c, _, now: departure_duties.examine(c, t.by, now, passed=t.yes),
    Event.SIGN: lambda t, c, _, now: departure_duties.sign(c, t.word, t.by, now),
    Event.COOL_OFF: lambda t, c, _, now: departure_duties.decide_period(
        c, None if t.until is None else now + t.until, t.by, now, t.role
    ),
    Event.PAPERS: lambda t, c, _, now: departure_duties.release_papers(c, t.by, now),
    Event.CLOSE: lambda t, c, _, now: departure_duties.close(c, t.by, now),
    Event.OVERTAKE: lambda t, c, _, now: departure_open.overtake(c, Kind.TRANSFER if t.yes else Kind.UNFIT, t.by, now),
    Event.RESCIND: lambda t, c, _, now: departure.rescind(c, t.by, now, t.role),
    Event.RESTORE: lambda t, c, _, now: departure.restore(c, t.word, t.by, now),
}

lasts = st.sampled_from([timedelta(0), -DAY, DAY, 3 * DAY, 30 * DAY])


@st.composite
def tries(draw: st.DrawFn, events: tuple[Event, ...] = tuple(Event)) -> Try:
    return Try(
        draw(st.sampled_from(events)),
        draw(st.sampled_from(PEOPLE)),
        draw(st.sampled_from(WORDS)),
        draw(st.sampled_from(ROLES)),
        draw(st.booleans()),
        draw(lasts),
        draw(st.sampled_from([(), ("security",)])),
    )
