"""Card and PIN: asked where the rules ask, counted per person, and the duress PIN opens and alarms silently."""

from agent.doors.messages import KeyPress, Read, Signal
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, Raise, RightPin
from agent.rooms.panel.events import Proven, Tick
from agent.rooms.panel.state import encode_state
from rules.model import RoomRules
from tests.rooms.panel.kit import Room, raised, records, refused, releases, rules_of

PIN = RoomRules(needs_pin=True)


def test_a_badge_and_the_right_pin_open() -> None:
    room = Room(PIN)
    asked = room.show("E1")
    assert rules_of(asked) == [("E1", "pin")]
    assert isinstance(asked[-1], Signal)
    assert room.keys("12") == ()
    opened = room.keys("34#")
    [entry] = records(opened)
    assert (entry.verdict.allow, entry.how) == (True, "pin")
    assert releases(opened)


def test_a_pin_is_asked_only_of_those_whom_nothing_else_denies() -> None:
    room = Room(PIN)
    assert refused(room.show("E5"))
    assert room.keys("1234#") == ()


def test_a_wrong_pin_is_recorded_and_refused() -> None:
    room = Room(PIN)
    room.show("E1")
    effects = room.keys("0000#")
    [entry] = records(effects)
    assert (entry.verdict.rule, entry.how) == ("pin", "pin")
    assert refused(effects)
    assert room.keys("1234#") == ()  # the badge has to be shown again


def test_a_star_starts_over() -> None:
    room = Room(PIN)
    room.show("E1")
    assert releases(room.keys("99*1234#"))


def test_the_duress_pin_opens_and_only_the_officers_hear_of_it() -> None:
    room, quiet = Room(PIN), Room(PIN)
    room.show("E1")
    quiet.show("E1")
    under_duress, usual = room.keys("4321#"), quiet.keys("1234#")
    [alarm] = [one for one in under_duress if isinstance(one, Raise)]
    assert (alarm.kind, alarm.person, alarm.silent) == (AlarmKind.DURESS, "E1", True)
    assert tuple(one for one in under_duress if one is not alarm) == usual


def test_a_duress_pin_is_told_also_when_the_door_stays_shut() -> None:
    room = Room(PIN)
    room.show("E1")
    room.desk.hold("E1")
    effects = room.keys("4321#")
    assert raised(effects) == [AlarmKind.DURESS]
    assert not releases(effects)


def test_after_too_many_wrong_pins_none_is_taken_for_a_while_also_after_a_restart() -> None:
    room = Room(PIN, pin_tries=3, pin_lock_seconds=300.0)
    for _ in range(3):
        room.show("E1")
        effects = room.keys("0000#")
    assert raised(effects) == [AlarmKind.GUESSING]
    room.restart()
    assert refused(room.show("E1"))
    assert room.keys("1234#") == ()
    room.show("E2")  # the count is the person's, not the reader's
    assert releases(room.keys("2345#"))
    room.show("E1", after=300)
    assert releases(room.keys("1234#"))


def test_guessing_at_two_doors_is_one_count() -> None:
    room = Room(PIN, doors=(DoorConfig("d1", contact=True), DoorConfig("d2")), pin_tries=1)
    room.show("E1")
    room.show("E1", door="d2")
    room.keys("0000#")
    assert not releases(room.tell(KeyPress("d2", "in", "1234#", secure=True)))


def test_guesses_with_one_badge_in_other_rooms_count_here() -> None:
    room = Room(PIN, pin_tries=3)
    room.desk.wrong["101"] = 2
    room.show("E1")
    assert raised(room.keys("0000#")) == [AlarmKind.GUESSING]
    assert refused(room.show("E1"))  # nobody asks for a PIN any more
    room.desk.wrong["102"] = 3
    assert refused(room.show("E2"))
    assert room.keys("2345#") == ()
    room.desk.wrong.clear()
    room.show("E2", after=300)
    assert releases(room.keys("2345#"))


def test_guesses_with_one_badge_elsewhere_do_not_stop_its_owner_with_another() -> None:
    room = Room(PIN, pin_tries=3)
    room.desk.enrol(room.desk.people["E1"], 201)
    room.desk.wrong["101"] = 3
    room.tell(Read("d1", "in", 201, room.now, secure=True))
    assert releases(room.keys("1234#"))


def test_the_right_pin_is_told_to_the_rooms_that_count_and_ends_no_count_of_another_badge() -> None:
    room = Room(PIN, pin_tries=3)
    room.desk.wrong["101"] = 2
    room.show("E1")
    assert RightPin("E1", "101") in room.keys("1234#")
    room.desk.wrong.clear()
    room.show("E2")
    room.keys("0000#")
    room.tell(Proven("E2", "999"))
    assert [(one.badge, one.wrong) for one in room.state.pins] == [("102", 1)]
    room.tell(Proven("E2", "102"))
    assert room.state.pins == ()


def test_the_right_pin_ends_the_count() -> None:
    room = Room(PIN)
    for digits in ("0000#", "0000#", "1234#", "0000#", "0000#"):
        room.show("E1")
        effects = room.keys(digits)
    assert not raised(effects)


def test_a_pin_must_be_finished_in_time() -> None:
    room = Room(PIN, pin_seconds=20.0)
    room.show("E1")
    room.keys("123")
    assert refused(room.tell(Tick(), after=20))
    assert room.keys("4#") == ()


def test_another_badge_ends_a_pin_half_entered() -> None:
    room = Room(PIN)
    room.show("E1")
    room.keys("12")
    room.show("E2")
    assert rules_of(room.keys("34#")) == [("E2", "pin")]


def test_somebody_without_a_pin_enters_none() -> None:
    room = Room(PIN)
    room.show("E3")
    assert not releases(room.keys("1234#"))


def test_keys_that_cannot_be_trusted_end_the_attempt() -> None:
    for keys in (KeyPress("d1", "in", "1234#"), KeyPress("d1", "in", "1234#", secure=True, stale=True)):
        room = Room(PIN)
        room.show("E1")
        assert refused(room.tell(keys, after=1))
        assert room.keys("1234#") == ()


def test_keys_at_the_way_out_are_nobodys() -> None:
    room = Room(PIN)
    room.show("E1")
    assert room.tell(KeyPress("d1", "out", "1234#", secure=True)) == ()
    assert room.keys("1234#") != ()


def test_a_pin_longer_than_any_is_wrong_and_digits_are_never_written() -> None:
    room = Room(PIN)
    room.show("E1")
    room.keys("1234")
    assert "1234" not in encode_state(room.state)
    for _ in range(5):
        room.keys("99999999", after=0.1)
    assert len(room.state.fleeting.pin_attempts[0].digits) <= 13
    assert not releases(room.keys("#"))


def test_a_longer_pin_that_begins_like_the_right_one_is_wrong() -> None:
    room = Room(PIN)
    room.desk.pins["E1"] = ("123456789012", "")
    room.show("E1")
    assert not releases(room.keys("1234567890123#"))
    room.show("E1")
    assert releases(room.keys("123456789012#"))


def test_two_persons_with_pins_both_enter_theirs() -> None:
    room = Room(RoomRules(needs_pin=True, two_person=True))
    room.show("E1")
    assert rules_of(room.keys("1234#")) == [("E1", "two-person")]
    room.show("E2")
    both = room.keys("5432#")
    assert {one.person for one in records(both)} == {"E1", "E2"}
    assert raised(both) == [AlarmKind.DURESS]
    assert releases(both)
