"""One room with its panel, decided by the real rules under a shipped pack; only the clock is the test's own.

Every step taken here is held to the laws no step may break: an entry before its release, and a verdict that allows
behind every release on the way in.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Literal

from agent.doors.messages import Contact, KeyPress, Read, Refuse, Release, Released, Side
from agent.rooms.panel.config import DoorConfig, RoomConfig
from agent.rooms.panel.effects import AlarmKind, Effect, Moved, Raise, RecordEntry, Settled
from agent.rooms.panel.engine import step
from agent.rooms.panel.events import Event
from agent.rooms.panel.interface import BadgeHolder, Statement
from agent.rooms.panel.state import RoomState, decode_state, encode_state
from rules.decide import decide
from rules.model import (
    Clearance,
    Employment,
    Facts,
    Grant,
    Hold,
    Level,
    Lockdown,
    Person,
    Request,
    Resource,
    RoomRules,
    RoomSettings,
    Verdict,
    Visit,
)
from rules.pack.reader import Pack, load
from tests import ROOT

ROOM = "vault"
START = 1_780_286_400.0  # Monday 1 June 2026, noon at +08:00
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PACK = load((ROOT / "rules" / "packs" / "minimal.toml").read_text(encoding="utf-8"))
CARDS = {"E1": 101, "E2": 102, "E3": 103, "E5": 105, "V1": 109}
PINS = {"E1": ("1234", "4321"), "E2": ("2345", "5432")}


def cleared(person: str) -> Person:
    return Person(
        person,
        clearances=(Clearance("state", Level.SECRET, "", "boss"),),
        grants=(Grant(f"g-{person}", person, ROOM, "project", "boss", LONG_AGO),),
        badges=frozenset({str(CARDS[person])}),
    )


def visitor() -> Person:
    visit = Visit("V000001", ROOM, "E1", "E2", "repair", at(START - 3600), at(START + 3600))
    return Person("V1", employment=Employment.VISITOR, badges=frozenset({"109"}), visits=(visit,))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Desk:
    """The registry as one room sees it: people by card, and the real decision over what is known of them."""

    def __init__(self, rules: RoomRules, pack: Pack = PACK) -> None:
        self.pack = pack
        self.people = {name: cleared(name) for name in ("E1", "E2", "E3")}
        self.people["E5"] = replace(cleared("E5"), grants=())
        self.people["V1"] = visitor()
        self.place = Resource(ROOM, Level.SECRET, "state", custodian="E1", room=rules)
        self.lockdowns: tuple[Lockdown, ...] = ()
        self.elsewhere: dict[str, frozenset[str]] = {}
        self.holders = {card: BadgeHolder(person, str(card)) for person, card in CARDS.items()}
        self.statements: dict[str, Statement] = {"V1": Statement("repair", escort="E1")}
        self.pins = dict(PINS)
        self.now = START
        self.wrong: dict[str, int] = {}  # PINs in other rooms, by badge
        self.asked: list[Request] = []

    def holder(self, read: Read) -> BadgeHolder | None:
        return self.holders.get(read.card)

    def judge(self, request: Request, shown: Mapping[str, str]) -> Verdict:
        self.asked.append(request)
        people = {
            name: replace(person, badge=shown.get(name, ""), inside=self.rooms_of(name))
            for name, person in self.people.items()
        }
        facts = Facts(people, {ROOM: self.place}, lockdowns=self.lockdowns)
        return decide(request, facts, self.pack, at(self.now))

    def stated(self, person: str) -> Statement:
        return self.statements.get(person, Statement())

    def check_pin(self, person: str, digits: str) -> Literal["ok", "duress", "wrong", "none"]:
        if person not in self.pins:
            return "none"
        right, duress = self.pins[person]
        return "ok" if digits == right else "duress" if digits == duress else "wrong"

    def wrong_pins(self, badge: str) -> int:
        return self.wrong.get(badge, 0)

    def rooms_of(self, person: str) -> frozenset[str]:
        return self.elsewhere.get(person, frozenset())

    def enrol(self, person: Person, card: int) -> None:
        badge = str(card)
        self.people[person.id] = replace(person, badges=frozenset({badge}))
        self.holders[card] = BadgeHolder(person.id, badge)

    def hold(self, person: str) -> None:
        self.people[person] = replace(self.people[person], holds=(Hold(LONG_AGO),))


_SETTINGS = {field.name for field in fields(RoomSettings)}


class Room:
    """A room, its panel's state, and the clock. The first door has a contact and readers on both sides."""

    def __init__(
        self, rules: RoomRules | None = None, *, doors: tuple[DoorConfig, ...] | None = None, **config: object
    ) -> None:
        self.desk = Desk(rules or RoomRules())
        settings = {name: config.pop(name) for name in _SETTINGS & config.keys()}
        made = RoomConfig(ROOM, doors or (DoorConfig("d1", contact=True),), RoomSettings(**settings))  # type: ignore[arg-type]
        self.config = replace(made, **config)
        self.state = RoomState()
        self.now = START
        self.seen: list[Effect] = []

    def tell(self, event: Event, *, after: float = 0.0) -> tuple[Effect, ...]:
        self.now += after
        self.desk.now = self.now
        self.state, effects = step(self.state, self.config, event, self.now, self.desk)
        self.seen += effects
        hold_the_laws(effects)
        return effects

    def show(self, person: str, side: Side = "in", *, after: float = 3.0, **read: object) -> tuple[Effect, ...]:
        """Show a badge, by default 3 s later (no repetition of the read before it), fresh and secure."""
        door = str(read.pop("door", self.config.doors[0].door))
        card = CARDS.get(person, 999)
        fields = {"at": self.now + after, "secure": True, **read}
        return self.tell(Read(door, side, card, **fields), after=after)

    def keys(self, digits: str, *, after: float = 1.0) -> tuple[Effect, ...]:
        return self.tell(KeyPress("d1", "in", digits, secure=True), after=after)

    def through(self, effects: tuple[Effect, ...], *, contact: bool = True) -> tuple[Effect, ...]:
        """The strike answers the release in *effects*, and the door opens and closes."""
        done = self.tell(Released(release(effects).id, ok=True), after=0.1)
        if contact:
            door = release(effects).door
            done += self.tell(Contact(door, open=True), after=1)
            done += self.tell(Contact(door, open=False), after=1)
        return done

    def enter(self, *people: str) -> None:
        for person in people[:-1]:
            self.show(person)
        self.through(self.show(people[-1]))
        assert self.state.inside() >= set(people), people

    def restart(self) -> None:
        """What a new process knows: what was written, and nothing else."""
        self.state = decode_state(encode_state(self.state))

    def open_alarms(self) -> set[str]:
        return {alarm.kind for alarm in self.state.alarms if not alarm.over}


def hold_the_laws(effects: tuple[Effect, ...]) -> None:
    for number, effect in enumerate(effects):
        if isinstance(effect, Release):
            entries = [one for one in effects[:number] if isinstance(one, RecordEntry) and one.release == effect.id]
            assert entries, effects
            assert all(one.verdict.allow and one.side == effect.side for one in entries), entries


def records(effects: tuple[Effect, ...]) -> list[RecordEntry]:
    return [one for one in effects if isinstance(one, RecordEntry)]


def rules_of(effects: tuple[Effect, ...]) -> list[tuple[str, str]]:
    return [(one.person, one.verdict.rule) for one in records(effects)]


def release(effects: tuple[Effect, ...]) -> Release:
    [found] = [one for one in effects if isinstance(one, Release)]
    return found


def releases(effects: tuple[Effect, ...]) -> list[Release]:
    return [one for one in effects if isinstance(one, Release)]


def refused(effects: tuple[Effect, ...]) -> bool:
    return any(isinstance(one, Refuse) for one in effects)


def raised(effects: tuple[Effect, ...]) -> list[AlarmKind]:
    return [one.kind for one in effects if isinstance(one, Raise)]


def outcomes(effects: tuple[Effect, ...]) -> list[str]:
    return [one.outcome for one in effects if isinstance(one, Settled)]


def moves(effects: tuple[Effect, ...]) -> list[tuple[str, bool, bool]]:
    return [(one.person, one.inside, one.sure) for one in effects if isinstance(one, Moved)]
