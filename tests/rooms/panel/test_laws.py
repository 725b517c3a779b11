"""Laws of the panel, whatever comes in whatever order: entry before strike, no way out refused, nothing without end."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.doors.messages import (
    Contact,
    KeyPress,
    Online,
    OwnDecision,
    Power,
    Read,
    Release,
    Released,
    RequestToExit,
    Tamper,
)
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, Effect
from agent.rooms.panel.engine import due, step
from agent.rooms.panel.events import (
    AlarmAcknowledged,
    BadgeGone,
    DayOver,
    Event,
    Freed,
    Locked,
    Proven,
    ReleaseUnrecorded,
    Reset,
    Restarted,
    Tick,
    Withdrawn,
)
from agent.rooms.panel.state import Fleeting, RoomState, decode_state, encode_state
from agent.rooms.panel.step import PanelStep
from rules.model import Lockdown, Passback, RoomRules
from rules.text import Message
from tests.examples import examples
from tests.rooms.panel.kit import CARDS, START, Room, releases

LAW = examples(120)
DOORS = (DoorConfig("d1", contact=True, held_seconds=20.0), DoorConfig("d2", strike_seconds=1.0))

doors = st.sampled_from(["d1", "d1", "d2", "d9"])
sides = st.sampled_from(["in", "in", "out"])
people = st.sampled_from(sorted(CARDS))
ids = st.integers(1, 12).map(lambda number: f"vault/{number}")
reads = st.builds(
    Read,
    door=doors,
    side=sides,
    card=st.sampled_from([*CARDS.values(), *CARDS.values(), 998, 999]),
    at=st.just(0.0) | st.just(-1.0),  # -1: the present, put in by `run`
    secure=st.sampled_from([True, True, True, False]),
    stale=st.sampled_from([False, False, False, True]),
    facility=st.sampled_from([None, 7]),
    index=st.none() | st.integers(1, 5),
)
events = st.one_of(
    reads,
    reads,
    st.builds(
        KeyPress, doors, sides, st.sampled_from(["1234#", "4321#", "0000#", "12", "*", "#"]), secure=st.booleans()
    ),
    st.builds(Contact, doors, open=st.booleans()),
    st.builds(Contact, st.just("d1"), open=st.booleans()),
    st.builds(Released, ids, ok=st.booleans()),
    st.builds(RequestToExit, doors, stale=st.sampled_from([False, False, True])),
    st.builds(Freed, doors, st.floats(0, 30)),
    st.builds(Tamper, doors, sides, active=st.booleans()),
    st.builds(Power, doors, failed=st.booleans()),
    st.builds(Online, doors, sides, st.just(""), st.booleans(), st.booleans()),
    st.builds(OwnDecision, doors, st.integers(1, 3), st.booleans(), st.integers(0, 255)),
    st.builds(ReleaseUnrecorded, ids),
    st.builds(AlarmAcknowledged, st.sampled_from(AlarmKind), doors),
    st.builds(Reset, people | st.just("")),
    st.builds(Withdrawn, people, st.just("hold")),
    st.builds(DayOver, st.floats(START - 100, START + 600)),
    st.builds(BadgeGone, people, st.just("101"), people),
    st.builds(Proven, people, st.just("101")),
    st.builds(Locked, st.booleans()),
    st.just(Restarted()),
    st.just(Tick()),
)
steps = st.lists(st.tuples(events, st.sampled_from([0.0, 0.5, 3.0, 3.0, 8.0, 40.0, -1.0, -100.0])), max_size=40)
rooms = st.builds(
    RoomRules,
    two_person=st.booleans(),
    needs_pin=st.booleans(),
    anti_passback=st.sampled_from(Passback),
    occupancy_limit=st.sampled_from([0, 0, 1, 2]),
    first_in=st.booleans(),
)


def fresh(rules: RoomRules) -> Room:
    return Room(rules, doors=DOORS, passback=str(rules.anti_passback), lone_alarm=rules.two_person, flood_reads=6)


def run(room: Room, script: list[tuple[Event, float]]) -> list[tuple[Event, RoomState, tuple[Effect, ...]]]:
    """Tell the room everything (the kit holds each step to the law of entry and release), and keep each step."""
    done = []
    for event, after in script:
        if isinstance(event, Read) and event.at < 0:
            event = replace(event, at=max(0.0, room.now + after))
        before = room.state
        done.append((event, before, room.tell(event, after=after)))
    return done


@LAW
@given(rooms, steps)
def test_only_a_badge_a_pin_or_the_button_ever_releases_a_strike(rules: RoomRules, script: list) -> None:
    room = fresh(rules)
    asked = len(room.desk.asked)
    for event, _, effects in run(room, script):
        for one in releases(effects):
            assert isinstance(event, Read | KeyPress | RequestToExit)
            assert one.side == (event.side if not isinstance(event, RequestToExit) else "out")
            assert one.door == event.door
    assert len(room.desk.asked) >= asked


@LAW
@given(rooms, steps)
def test_a_way_out_is_never_refused(rules: RoomRules, script: list) -> None:
    """A badge on the way out that is shown now, or the button, finds the strike released, if not already so."""
    room = fresh(rules)
    room.desk.lockdowns = (Lockdown(room.desk.people["E1"].grants[0].since),)
    for event, before, effects in run(room, script):
        out = isinstance(event, RequestToExit) or (isinstance(event, Read) and event.side == "out")
        if out and event.door in ("d1", "d2") and not event.stale and getattr(event, "secure", True):
            seconds = room.config.door(event.door).strike_seconds
            lasts = [
                one
                for one in before.passages
                if (one.door, one.side) == (event.door, "out") and one.at + seconds > before.latest - 2
            ]
            assert releases(effects) or lasts, (event, before)


@LAW
@given(rooms, steps)
def test_a_release_is_settled_at_most_once_and_ids_are_never_used_again(rules: RoomRules, script: list) -> None:
    given_out: list[str] = []
    settled: list[str] = []
    for _, _, effects in run(fresh(rules), script):
        given_out += [one.id for one in effects if isinstance(one, Release)]
        settled += [one.id for one in effects if type(one).__name__ == "Settled"]
    assert len(set(given_out)) == len(given_out)
    assert len(set(settled)) == len(settled)
    assert set(settled) <= set(given_out)


@LAW
@given(rooms, steps)
def test_the_state_goes_through_json_without_a_change_but_for_what_is_fleeting(rules: RoomRules, script: list) -> None:
    room = fresh(rules)
    run(room, script)
    again = decode_state(encode_state(room.state))
    assert again == replace(room.state, fleeting=Fleeting())
    assert encode_state(again) == encode_state(room.state)


@LAW
@given(rooms, steps, people, doors)
def test_a_restart_lets_nobody_in_who_would_have_stayed_out(
    rules: RoomRules, script: list, person: str, door: str
) -> None:
    """Two rooms of one past, of which one restarts: what it forgets only ever lets fewer people in."""
    stays, restarts = fresh(rules), fresh(rules)
    run(stays, script)
    run(restarts, script)
    restarts.restart()
    one, other = (room.show(person, door=door, after=11.0) for room in (stays, restarts))  # no repetition, no flood
    assert len(releases(other)) <= len(releases(one))


@LAW
@given(rooms, steps, people, doors, st.sampled_from([-3.0, -100.0]))
def test_a_clock_that_goes_back_opens_no_way_in(
    rules: RoomRules, script: list, person: str, door: str, back: float
) -> None:
    room = fresh(rules)
    run(room, [*script, (Tick(), 0.0)])
    assert not [one for one in releases(room.show(person, door=door, after=back)) if one.side == "in"]


@LAW
@given(rooms, steps, st.integers(0, 10_000))
def test_the_same_is_always_answered_the_same(rules: RoomRules, script: list, seed: int) -> None:
    room = fresh(rules)
    run(room, script)
    event = Read("d1", "in", 101 + seed % 3, room.now, secure=True)
    one, other = (step(room.state, room.config, event, room.now, room.desk) for _ in range(2))
    assert one == other


@LAW
@given(rooms, steps)
def test_a_tick_when_it_is_due_gets_the_room_to_rest(rules: RoomRules, script: list) -> None:
    room = fresh(rules)
    run(room, script)
    for _ in range(60):
        instant = due(room.state, room.config)
        if instant is None:
            break
        room.tell(Tick(), after=max(0.0, instant - room.now))
    assert due(room.state, room.config) is None
    assert room.state.passages == ()


def test_alarms_that_are_remembered_are_bounded() -> None:
    room = fresh(RoomRules())
    turn = PanelStep(room.state, room.config, START, room.desk)
    for number in range(400):
        turn.alarm(AlarmKind.DURESS, Message("rooms.alone-inside", person="x"), door="d1", person=f"E{number}")
    assert len(turn.effects) == 400
    assert len(turn.state.alarms) == 256


def test_the_state_stays_small_whatever_comes() -> None:
    room = fresh(RoomRules(needs_pin=True, two_person=True))
    largest = 0
    for number in range(1200):
        now = START + number * 0.2
        door, side = ("d1", "d2")[number % 2], ("in", "out")[number % 3 == 0]
        room.tell(Read(door, side, number % 700, now, secure=number % 5 != 0), after=0.2)
        room.tell(KeyPress(door, "in", "0000#"))
        room.tell(Tamper(door, "in", active=number % 7 == 0))
        room.tell(Contact(door, open=number % 2 == 0))
        largest = max(largest, len(repr(room.state)))
    assert largest < 60_000, largest
    assert len(encode_state(room.state)) < 60_000
