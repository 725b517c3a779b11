"""Worlds to decide in, shared by the law tests (`laws/`).

A world starts in order (cleared, vetted, granted persons), because a law about denials is only tested by worlds that
allow; then up to four things in it may be off: own approvals, foreign domains, windows that just begin or end. Instants
lie on a coarse grid, so that equal instants and exact boundaries are common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from rules.decide import decide
from rules.model import (
    Action,
    Clearance,
    Departure,
    DepartureStage,
    Employment,
    Facts,
    Grant,
    Hold,
    Level,
    Lockdown,
    Passback,
    Person,
    Record,
    Request,
    Resource,
    RoomRules,
    Scope,
    Service,
    Verdict,
    Visit,
)
from rules.pack.reader import Pack, load
from tests import ROOT
from tests.examples import examples

LAW = examples(80)
NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # a Monday, noon at +08:00
PLACE = "place"
HERE = "this machine's room"
PEOPLE = ("E1", "E2", "E3")
DOMAINS = ("state", "commercial")
PACKS = ROOT / "rules" / "packs"

# Every rule there is, switched on: topics, steps in order, hours, two persons.
EVERYTHING = """
name = "everything"
version = "1"
title = { en = "everything", zh = "全部" }
utc_offset = "+08:00"
[domains]
state = { en = "state secrets", zh = "国家秘密" }
commercial = { en = "commercial secrets", zh = "商业秘密" }
[hold]
[departure]
[cooling_off]
[level]
needs_approver = true
[level.map.state]
"核心" = "top-secret"
"一般" = "confidential"
"三级" = "none"
[barred.labels]
state = ["三级"]
[scope]
[grant]
from_level = "confidential"
[temp_auth]
enabled = true
max_days = 90
max_level = "secret"
[employment]
deny = ["temporary"]
temp_auth = true
[records.vetting]
title = { en = "vetting", zh = "审查" }
after_post_change = true
temporary = false
[records.training]
title = { en = "training", zh = "培训" }
topics = ["law", "skills"]
valid_days = 30
[records.approval]
title = { en = "approval", zh = "审批" }
after = ["vetting"]
[hours.office]
weekdays = ["mon", "tue", "wed", "thu", "fri"]
windows = ["08:00-12:00", "13:00-18:00"]
[badge]
[purpose]
[declaration]
[two_person]
from_level = "top-secret"
[one_place]
[visit]
max_days = 30
max_level = "secret"
[in_room]
from_level = "secret"
"""


def shipped(name: str) -> Pack:
    return load((PACKS / f"{name}.toml").read_text(encoding="utf-8"))


ALL_PACKS: Mapping[str, Pack] = {
    "minimal": shipped("minimal"),
    "state": shipped("state"),
    "company": shipped("company"),
    "everything": load(EVERYTHING),
}


@dataclass(frozen=True)
class World:
    """One question with all it depends on."""

    request: Request
    facts: Facts
    pack: Pack
    now: datetime = NOW

    def decide(self, now: datetime | None = None) -> Verdict:
        return decide(self.request, self.facts, self.pack, now or self.now)

    def person(self, name: str = "E1") -> Person:
        return self.facts.persons[name]

    def place(self) -> Resource:
        return self.facts.resources[PLACE]

    def having(self, person: Person) -> "World":
        return replace(self, facts=replace(self.facts, persons={**self.facts.persons, person.id: person}))

    def at(self, place: Resource) -> "World":
        return replace(self, facts=replace(self.facts, resources={PLACE: place}))

    def asking(self, request: Request) -> "World":
        return replace(self, request=request)


instants = st.integers(-60, 60).map(lambda steps: NOW + timedelta(hours=12 * steps))
maybe_instants = st.none() | instants
approvers = st.sampled_from(["boss", "boss", "E1", "E2", "E3", ""])
clearances = st.builds(
    Clearance,
    domain=st.sampled_from([*DOMAINS, "other"]),
    level=st.sampled_from(Level),
    label=st.sampled_from(["", "", "核心", "一般", "三级", "?"]),
    approved_by=approvers,
)
holds = st.builds(Hold, since=instants)
departures = st.builds(
    Departure,
    stage=st.sampled_from(DepartureStage),
    approved_at=maybe_instants,
    cooling_off_until=maybe_instants,
    approver=approvers,
    effective_at=maybe_instants,
)
records = st.builds(
    Record,
    kind=st.sampled_from(["vetting", "training", "approval"]),
    on=instants,
    passed=st.booleans(),
    valid_until=maybe_instants,
    topic=st.sampled_from(["", "law", "skills"]),
)
grants = st.builds(
    Grant,
    id=st.sampled_from(["g1", "g2"]),
    person=st.sampled_from(["E1", "E1", "E2"]),
    resource=st.sampled_from([PLACE, PLACE, "elsewhere"]),
    reason=st.sampled_from(["project alpha", "project alpha", " "]),
    approver=approvers,
    since=instants,
    until=maybe_instants,
    temporary=st.booleans(),
)
visits = st.builds(
    Visit,
    id=st.just("V000001"),
    room=st.sampled_from([PLACE, PLACE, PLACE, "elsewhere"]),
    escort=st.sampled_from(["E2", "E2", "E3", "E1", ""]),
    host=st.sampled_from(["E2", "E2", "E1", ""]),
    purpose=st.sampled_from(["repair", "repair", " "]),
    since=instants,
    until=maybe_instants,
)
lockdowns = st.builds(Lockdown, since=instants, room=st.sampled_from(["", PLACE, "elsewhere"]))
room_rules = st.builds(
    RoomRules,
    needs_pin=st.booleans(),
    anti_passback=st.sampled_from(Passback),
    occupancy_limit=st.integers(0, 3),
    first_in=st.booleans(),
)
scopes = st.builds(
    Scope,
    persons=st.frozensets(st.sampled_from(PEOPLE)),
    departments=st.frozensets(st.sampled_from(["rd", "hr"])),
    projects=st.frozensets(st.sampled_from(["alpha", "beta"])),
)

PERSON_FIELDS: Mapping[str, st.SearchStrategy] = {
    "clearances": st.lists(clearances, max_size=2).map(tuple),
    "grants": st.lists(grants, max_size=3).map(tuple),
    "records": st.lists(records, max_size=3).map(tuple),
    "holds": st.lists(holds, min_size=1, max_size=2).map(tuple),
    "departures": st.lists(departures, min_size=1, max_size=2).map(tuple),
    "post_changed_at": instants,
    "employment": st.sampled_from(Employment),
    "active": st.just(False),
    "department": st.sampled_from(["hr", ""]),
    "badge": st.sampled_from(["", "card-E2"]),
    "visits": st.lists(visits, max_size=2).map(tuple),
    "inside": st.sampled_from([frozenset(), frozenset({"elsewhere"}), frozenset({HERE})]),
}
PLACE_FIELDS: Mapping[str, st.SearchStrategy] = {
    "level": st.sampled_from(Level),
    "domain": st.sampled_from([*DOMAINS, "typo"]),
    "scope": scopes,
    "secret_until": maybe_instants,
    "hours": st.sampled_from(["office", "unheard-of"]),
    "custodian": st.sampled_from(["E1", "E2"]),
    "room": room_rules,
}
REQUEST_FIELDS: Mapping[str, st.SearchStrategy] = {
    "persons": st.permutations(PEOPLE).map(lambda order: tuple(order[:2])) | st.just(()),
    "action": st.sampled_from(Action),
    "service": st.sampled_from(["backup", "ghost", "idle"]),
    "nobody": st.just("uid 33"),
    "companions": st.sampled_from([(), ("E2",), ("E1",)]),
    "purpose": st.just(" "),
    "declared": st.just(False),
    "pin": st.just(False),
    "inside": st.frozensets(st.sampled_from(PEOPLE)),
    "doubt": st.sampled_from(["stale", "insecure", "?"]),
}
FACTS_FIELDS: Mapping[str, st.SearchStrategy] = {
    "lockdowns": st.lists(lockdowns, min_size=1, max_size=2).map(tuple),
    "here": st.sampled_from(["", "elsewhere"]),
}


def _field(kind: str, fields: Mapping[str, st.SearchStrategy]) -> list[st.SearchStrategy]:
    return [st.tuples(st.just(kind), st.just(name), value, st.booleans()) for name, value in fields.items()]


alterations = st.one_of(
    [
        *_field("person", PERSON_FIELDS),
        *_field("place", PLACE_FIELDS),
        *_field("request", REQUEST_FIELDS),
        *_field("facts", FACTS_FIELDS),
    ]
)


def in_order(pack: Pack) -> tuple[Record, ...]:
    """Return passed records of all kinds the pack knows, each topic included."""
    on = NOW - timedelta(days=10)
    return tuple(Record(name, on, topic=topic) for name, kind in pack.records.items() for topic in kind.topics or ("",))


def good_person(name: str, place: Resource, pack: Pack) -> Person:
    """Return somebody every rule of *pack* allows into *place*."""
    return Person(
        id=name,
        department="rd",
        clearances=(Clearance(place.domain, place.level, "", "boss"),),
        records=in_order(pack),
        grants=(Grant(f"{name}-g", name, place.id, "project alpha", "boss", NOW - timedelta(days=9)),),
        badge=f"card-{name}",
        badges=frozenset({f"card-{name}"}),
        inside=frozenset() if place.room else frozenset({HERE}),
    )


@st.composite
def worlds(draw: st.DrawFn, packs: tuple[str, ...] = tuple(ALL_PACKS)) -> World:
    """Draw a world in order, then up to four things that may be off in it."""
    pack = ALL_PACKS[draw(st.sampled_from(packs))]
    place = Resource(
        PLACE,
        draw(st.sampled_from(list(Level)[1:])),
        draw(st.sampled_from([domain for domain in DOMAINS if domain in pack.domains])),
        Scope(departments=frozenset({"rd"})),
        secret_until=NOW + timedelta(days=3650),
        room=draw(st.sampled_from([None, None, RoomRules(), RoomRules(two_person=True, needs_purpose=True)])),
    )
    service = Service("backup", 34, "/usr/bin/backup", frozenset({PLACE}))
    facts = Facts(
        persons={name: good_person(name, place, pack) for name in PEOPLE},
        resources={PLACE: place},
        services={"backup": service, "idle": replace(service, id="idle", active=False)},
        holidays=frozenset(draw(st.sampled_from([(), (NOW.date(),)]))),
        here=HERE,
    )
    request = Request(
        ("E1",), PLACE, Action.ENTER if place.room else Action.OPEN,
        companions=("E2", "E3"), purpose="inventory", declared=True, pin=True,
    )  # fmt: skip
    world = World(request, facts, pack)
    for kind, name, value, add in draw(st.lists(alterations, max_size=4)):
        world = _altered(world, kind, name, value, add=add)
    return world


def _altered(world: World, kind: str, name: str, value: object, *, add: bool) -> World:
    if kind == "place":
        return world.at(replace(world.place(), **{name: value}))
    if kind == "facts":
        return replace(world, facts=replace(world.facts, **{name: value}))
    if kind == "request":
        return world.asking(replace(world.request, **{name: value}))
    person = world.person("E1")
    if add and isinstance(value, tuple):
        value = getattr(person, name) + value
    return world.having(replace(person, **{name: value}))
