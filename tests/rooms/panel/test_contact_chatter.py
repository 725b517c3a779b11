"""A contact that flutters: few words about it, and nothing about a door that was forced or is held open is missed."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from agent.doors.messages import Contact, Released
from agent.rooms.panel.contact_chatter import SUMMARY
from agent.rooms.panel.effects import AlarmKind, Cleared, Effect, Raise, RecordNote
from agent.rooms.panel.engine import due
from agent.rooms.panel.events import AlarmAcknowledged, Freed, Restarted, Tick
from tests.examples import examples
from tests.rooms.panel.kit import Room, raised, release
from tests.sentences import en

LAW = examples(150)
NEVER = 10**9  # changes

# What a contact says and how long after the word before: at the speed it is asked, now and then with a pause.
words = st.tuples(st.booleans(), st.sampled_from([0.05, 0.05, 0.05, 0.3, 1.0, 4.0, 12.0, 45.0]))
bursts = st.integers(1, 40).map(lambda many: [(number % 2 == 0, 0.05) for number in range(many)])
scripts = st.lists(st.one_of(words.map(lambda one: [one]), bursts), max_size=12).map(lambda parts: list(chain(*parts)))


def shake(room: Room, changes: int, *, every: float = 0.05) -> None:
    """Let the contact change so often; it says "open" first."""
    for number in range(changes):
        room.tell(Contact("d1", open=number % 2 == 0), after=every)


def rest(room: Room) -> None:
    """Let time pass until nothing is due any more."""
    while (instant := due(room.state, room.config)) is not None:
        room.tell(Tick(), after=max(0.0, instant - room.now))


def notes(room: Room, what: str) -> list[RecordNote]:
    return [one for one in room.seen if isinstance(one, RecordNote) and one.event_kind == what]


def words_of(effects: list[Effect]) -> int:
    return sum(isinstance(one, RecordNote | Raise | Cleared) for one in effects)


def test_a_contact_that_flutters_at_poll_speed_is_one_alarm_and_a_count() -> None:
    room = Room()
    shake(room, 2000)
    assert words_of(room.seen) < 40
    [alarm] = [one for one in room.seen if isinstance(one, Raise) and one.kind is AlarmKind.FLUTTER]
    assert "changed 13 times within 10 s" in en(alarm.text)
    assert "flutter" in room.open_alarms()
    rest(room)
    assert room.open_alarms() == set()
    [said] = notes(room, "flutter")
    assert "changed 2000 times in 110 s" in en(said.text)
    assert room.state.door("d1").open is False
    assert room.state.fleeting.flutters == ()


def test_a_busy_door_does_not_flutter() -> None:
    room = Room()
    for _ in range(30):
        room.tell(Freed("d1", 5.0))
        shake(room, 2, every=2.0)
    assert len(notes(room, "open")) == len(notes(room, "close")) == 30
    assert raised(tuple(room.seen)) == []


def test_a_door_that_is_forced_while_its_contact_flutters_is_an_alarm_at_once() -> None:
    room = Room()
    room.tell(Freed("d1", 5.0))  # until then it may open
    shake(room, 40)
    assert AlarmKind.FORCED not in raised(tuple(room.seen))
    shake(room, 2 * 160)
    assert raised(tuple(room.seen)).count(AlarmKind.FORCED) == 1
    shake(room, 400)
    assert "forced" in room.open_alarms()
    assert raised(tuple(room.seen)).count(AlarmKind.FORCED) == 1


def test_a_door_that_is_open_when_its_contact_is_calm_is_told_once_more_and_is_held_open() -> None:
    room = Room()
    shake(room, 301)
    room.tell(AlarmAcknowledged("forced", "d1"))
    before = len(room.seen)
    rest(room)
    after = tuple(room.seen[before:])
    assert raised(after) == [AlarmKind.FORCED, AlarmKind.HELD]
    assert room.open_alarms() == {"forced", "held"}
    room.tell(Contact("d1", open=False), after=1)
    assert room.open_alarms() == set()


def test_a_door_whose_contact_flutters_is_not_known_to_be_closed() -> None:
    room = Room()
    shake(room, 1000)  # for longer than it may stand open
    assert "held" in room.open_alarms()
    assert room.state.door("d1").open


def test_somebody_let_through_a_door_whose_contact_flutters_is_inside() -> None:
    room = Room()
    shake(room, 200)
    shown = room.show("E1", after=0.05)
    room.tell(Released(release(shown).id, ok=True), after=0.1)
    assert room.state.inside() == {"E1"}


def test_a_contact_that_flutters_for_long_is_written_about_now_and_then() -> None:
    room = Room()
    shake(room, int(3.5 * SUMMARY / 0.5), every=0.5)
    assert len(notes(room, "flutter")) == 3
    assert len([one for one in room.seen if isinstance(one, Raise) and one.kind is AlarmKind.FLUTTER]) == 1


def test_while_it_flutters_nothing_new_is_to_be_stored() -> None:
    room = Room()
    shake(room, 100)
    stored = room.state.doors, room.state.alarms
    shake(room, 100)
    assert (room.state.doors, room.state.alarms) == stored


def test_a_restart_ends_the_alarm_and_what_goes_on_begins_again() -> None:
    room = Room()
    shake(room, 100)
    room.restart()
    assert Cleared(AlarmKind.FLUTTER, "d1") in room.tell(Restarted(), after=1)
    room.tell(Contact("d1", open=False), after=1)
    assert room.state.door("d1").open is False
    assert room.open_alarms() == set()
    shake(room, 100)
    assert "flutter" in room.open_alarms()


def test_a_clock_that_goes_back_makes_no_flutter_last_longer() -> None:
    room = Room()
    shake(room, 100)
    room.tell(Tick(), after=-7200)
    for _ in range(3):
        room.tell(Tick(), after=10)
    assert "flutter" not in room.open_alarms()
    assert room.state.door("d1").open is False


@LAW
@given(scripts)
def test_nothing_about_forced_or_held_open_is_missed(script: list[tuple[bool, float]]) -> None:
    """Two doors of one past, of which one tells every change: when both are calm they say the same of how it is now."""
    counts, tells = Room(), Room(flutter_changes=NEVER)
    for room in (counts, tells):
        for is_open, after in script:
            room.tell(Contact("d1", open=is_open), after=after)
    assert tells.open_alarms() <= counts.open_alarms()
    assert set(raised(tuple(tells.seen))) <= set(raised(tuple(counts.seen)))
    for room in (counts, tells):
        rest(room)
    assert counts.open_alarms() == tells.open_alarms()
    assert counts.state.door("d1").open is tells.state.door("d1").open


@LAW
@given(scripts)
def test_what_is_said_is_bounded_by_the_time_it_took(script: list[tuple[bool, float]]) -> None:
    room = Room()
    began = room.now
    for is_open, after in script:
        room.tell(Contact("d1", open=is_open), after=after)
    rest(room)
    times = 1 + (room.now - began) // room.config.flutter_seconds
    changed = len(notes(room, "open")) + len(notes(room, "close"))
    assert changed <= times * (room.config.flutter_changes + 1)
    assert words_of(room.seen) <= times * (2 * room.config.flutter_changes + 10)
