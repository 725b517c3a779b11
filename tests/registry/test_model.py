"""Any sequence of changes, some rolled back and some refused: facts equal a model that is a handful of dictionaries."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.store import Registry
from rules.model import (
    Clearance,
    Departure,
    DepartureStage,
    Employment,
    Facts,
    Grant,
    Hold,
    Level,
    Mode,
    Passback,
    Person,
    Record,
    Resource,
    RoomRules,
    Scope,
)

PEOPLE = ("E1", "E2", "张三")
PLACES = ("plans", "vault", "甲")
people, places = st.sampled_from(PEOPLE), st.sampled_from(PLACES)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
reasons = words.filter(lambda said: bool(said.strip()))
names = st.sampled_from(["甲", "hr", "state", "commercial"])
levels = st.sampled_from(Level)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ends = st.none() | instants
scopes = st.builds(Scope, st.frozensets(people), st.frozensets(names), st.frozensets(names))

truths = st.booleans()
room_rules = st.builds(
    RoomRules, truths, truths, truths, truths, st.sampled_from(Passback), st.integers(0, 99), first_in=truths
)


class Model:
    """What the registry should hold, said the plain way."""

    def __init__(self) -> None:
        self.epoch = 0
        self.people: dict[str, Person] = {}
        self.places: dict[str, Resource] = {}
        self.accounts: dict[int, str] = {}
        self.grants: dict[str, Grant] = {}
        self.holds: dict[str, tuple[str, Hold]] = {}
        self.holidays: frozenset[date] = frozenset()

    def facts(self, persons: Iterable[str], place: str) -> Facts:
        return Facts(
            persons={id: self._person(id, place) for id in persons if id in self.people},  # noqa: A001
            resources={place: self.places[place]} if place in self.places else {},
            holidays=self.holidays,
        )

    def _person(self, person: str, place: str) -> Person:
        return replace(
            self.people[person],
            grants=tuple(grant for grant in self.grants.values() if (grant.person, grant.resource) == (person, place)),
            holds=tuple(hold for whose, hold in self.holds.values() if whose == person),
        )


class Registered(RuleBasedStateMachine):
    """Every rule does one change to both; a refusal is expected exactly where the model says so."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "registry.db"
        migrate(path)
        self.registry, self.reader = Registry(path), FactsReader(path)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.model = Model()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.reader.close()
            self.registry.close()
            self.folder.cleanup()

    def do(self, act: str, *given: object, refused: bool = False, **named: object) -> str:
        self.now += timedelta(hours=1)
        try:
            with self.registry.change(self.now) as change:
                assert change.epoch == self.model.epoch + 1
                done = attrgetter(act)(change)(*given, **named)
        except RefusedError:
            assert refused, act
            return ""
        assert not refused, act
        self.model.epoch += 1
        return str(done)

    @rule(person=people, name=words, projects=st.frozensets(names), employment=st.sampled_from(Employment))
    def add_person(self, person: str, name: str, projects: frozenset[str], employment: Employment) -> None:
        known = person in self.model.people
        given = {"name": name, "projects": projects, "employment": employment}
        self.do("people.add", person, refused=known, **given)
        if not known:
            self.model.people[person] = Person(person, name, projects=projects, employment=employment)

    @rule(person=people, active=st.none() | st.booleans(), department=st.none() | names, name=st.none() | words)
    def set_person(self, person: str, active: bool | None, department: str | None, name: str | None) -> None:
        given = {"active": active, "department": department, "name": name}
        known = person in self.model.people
        self.do("people.set", person, refused=not known, **given)
        if known:
            changed = {what: value for what, value in given.items() if value is not None}
            self.model.people[person] = replace(self.model.people[person], **changed)  # type: ignore[arg-type]

    @rule(person=people, domain=names, level=levels, label=words, approver=people)
    def set_clearance(self, person: str, domain: str, level: Level, label: str, approver: str) -> None:
        refused = person not in self.model.people or (person == approver and level > 0)
        clearance = Clearance(domain, level, label, approver)
        self.do("people.set_clearance", person, clearance, refused=refused)
        if not refused:
            known = self.model.people[person]
            others = (held for held in known.clearances if held.domain != domain)
            kept = tuple(sorted((*others, clearance), key=lambda held: held.domain.encode()))
            self.model.people[person] = replace(known, clearances=kept)

    @rule(person=people, uid=st.integers(1000, 1003))
    def add_account(self, person: str, uid: int) -> None:
        refused = person not in self.model.people or uid in self.model.accounts
        self.do("accounts.add", uid, person, refused=refused)
        if not refused:
            self.model.accounts[uid] = person

    @rule(uid=st.integers(1000, 1003))
    def remove_account(self, uid: int) -> None:
        self.do("accounts.remove", uid, refused=uid not in self.model.accounts)
        self.model.accounts.pop(uid, None)

    @rule(
        place=places,
        level=levels,
        domain=names,
        mode=st.sampled_from(Mode),
        scope=scopes,
        room=st.none() | room_rules,
        end=ends,
    )
    def add_place(
        self,
        place: str,
        level: Level,
        domain: str,
        mode: Mode,
        scope: Scope,
        room: RoomRules | None,
        end: datetime | None,
    ) -> None:
        refused = place in self.model.places or not scope.persons <= self.model.people.keys()
        given: dict[str, object] = {"level": level, "domain": domain, "mode": mode, "scope": scope, "secret_until": end}
        if room is None:
            self.do("areas.add", place, refused=refused, path=f"/srv/{place}", **given)
        else:
            self.do("rooms.add", place, refused=refused, rules=room, **given)
        if not refused:
            self.model.places[place] = Resource(place, level, domain, scope, mode, secret_until=end, room=room)

    @rule(place=places, level=st.none() | levels, scope=st.none() | scopes)
    def set_place(self, place: str, level: Level | None, scope: Scope | None) -> None:
        known = place in self.model.places
        refused = not known or (scope is not None and not scope.persons <= self.model.people.keys())
        self.do(f"{self.kind(place)}.set", place, refused=refused, level=level, scope=scope)
        if not refused:
            kept = self.model.places[place]
            kept = replace(kept, level=kept.level if level is None else level, scope=scope or kept.scope)
            self.model.places[place] = kept

    @rule(place=places, mode=st.sampled_from(Mode))
    def set_mode(self, place: str, mode: Mode) -> None:
        known = place in self.model.places and self.model.places[place].room is None
        self.do("areas.set_mode", place, mode, refused=not known)
        if known:
            self.model.places[place] = replace(self.model.places[place], mode=mode)

    @rule(place=places)
    def remove_place(self, place: str) -> None:
        self.do(f"{self.kind(place)}.remove", place, refused=place not in self.model.places)
        self.model.places.pop(place, None)
        self.model.grants = {id: grant for id, grant in self.model.grants.items() if grant.resource != place}  # noqa: A001

    def kind(self, place: str) -> str:
        known = self.model.places.get(place)
        return "rooms" if known and known.room else "areas"

    @rule(person=people, place=places, reason=words, approver=people, since=ends, until=ends, temporary=st.booleans())
    def add_grant(
        self,
        person: str,
        place: str,
        reason: str,
        approver: str,
        since: datetime | None,
        until: datetime | None,
        temporary: bool,
    ) -> None:
        at = self.now + timedelta(hours=1)
        begins = since or at
        refused = (
            not {person} <= self.model.people.keys()
            or place not in self.model.places
            or not reason.strip()
            or person == approver
            or (until is not None and until <= max(begins, at))
            or (temporary and (until is None or until - begins > timedelta(days=90)))
        )
        given = {"since": since, "until": until, "temporary": temporary, "max_days": 90}
        number = self.do("grants.add", person, place, refused=refused, reason=reason, approver=approver, **given)
        if not refused:
            self.model.grants[number] = Grant(number, person, place, reason, approver, begins, until, temporary)

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data())
    def end_grant(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(list(self.model.grants)))
        grant = self.model.grants[number]
        at = self.now + timedelta(hours=1)
        refused = grant.until is not None and grant.until <= at
        self.do("grants.end", number, refused=refused)
        if not refused:
            self.model.grants[number] = replace(grant, until=at)

    @rule(person=people, reason=reasons, since=ends)
    def add_hold(self, person: str, reason: str, since: datetime | None) -> None:
        known = person in self.model.people
        number = self.do("holds.add", person, refused=not known, reason=reason, since=since)
        if known:
            self.model.holds[number] = person, Hold(since or self.now, reason)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def lift_hold(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(list(self.model.holds)))
        assert self.do("holds.lift", number) == self.model.holds.pop(number)[0]

    @rule(person=people, kind=names, on=instants, passed=st.booleans(), topic=words)
    def add_record(self, person: str, kind: str, on: datetime, passed: bool, topic: str) -> None:
        known = person in self.model.people
        self.do("records.add", person, kind, refused=not known, on=on, passed=passed, topic=topic)
        if known:
            held = self.model.people[person]
            record = Record(kind, on, passed, topic=topic)
            self.model.people[person] = replace(held, records=(*held.records, record))

    @rule(person=people, stage=st.sampled_from(DepartureStage), approved_at=ends, end=ends)
    def add_departure(
        self, person: str, stage: DepartureStage, approved_at: datetime | None, end: datetime | None
    ) -> None:
        known = person in self.model.people
        given = {"stage": stage, "approved_at": approved_at, "cooling_off_until": end}
        self.do("departures.add", person, refused=not known, **given)
        if known:
            held = self.model.people[person]
            departures = (*held.departures, Departure(stage, approved_at, end))
            self.model.people[person] = replace(held, departures=departures)

    @rule(day=st.dates(date(2026, 1, 1), date(2026, 1, 9)))
    def add_holiday(self, day: date) -> None:
        self.do("holidays.add", day)
        self.model.holidays |= {day}

    @rule(person=people, place=places)
    def a_change_that_is_rolled_back_leaves_no_trace(self, person: str, place: str) -> None:
        def unlogged(change: RegistryTransaction) -> None:
            with change.attempt():
                if person in self.model.people:
                    change.holds.add(person, reason="x")
                else:
                    change.people.add(person)
                if place in self.model.places:
                    attrgetter(self.kind(place))(change).remove(place)
            raise ConnectionError

        try:
            with self.registry.change(self.now) as change:
                unlogged(change)
        except ConnectionError:
            pass

    @invariant()
    def facts_are_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        assert self.reader.accounts() == self.model.accounts
        for place in PLACES:
            assert self.reader.facts(PEOPLE, place) == (self.model.epoch, self.model.facts(PEOPLE, place))
        areas = {row.resource.id: row.resource for row in self.reader.areas()}
        assert areas == {id: place for id, place in self.model.places.items() if place.room is None}  # noqa: A001


TestRegistered = Registered.TestCase
TestRegistered.settings = settings(max_examples=25, stateful_step_count=40)
