"""Several people at one door: two where two are asked for, visitors with their escort, the custodian first."""

from dataclasses import replace

import pytest

from agent.doors.messages import Online, Read, Release, Signal
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, RecordEntry
from agent.rooms.panel.events import Locked, Tick, Withdrawn
from rules.model import RoomRules
from tests.rooms.panel.kit import Room, raised, records, refused, release, releases, rules_of, visitor

TWO = RoomRules(two_person=True)


def test_the_door_opens_for_the_second_of_two_and_both_entries_come_first() -> None:
    room = Room(TWO)
    first = room.show("E1")
    assert rules_of(first) == [("E1", "two-person")]
    assert not releases(first)
    assert isinstance(first[-1], Signal)
    second = room.show("E2")
    assert [type(one) for one in second] == [RecordEntry, RecordEntry, Release]
    assert {(one.person, one.together) for one in records(second)} == {("E2", ("E1",)), ("E1", ("E2",))}
    assert {one.release for one in records(second)} == {release(second).id}
    room.through(second)
    assert room.state.inside() == {"E1", "E2"}


def test_the_second_must_come_in_time() -> None:
    room = Room(TWO, together_seconds=10.0)
    room.show("E1")
    assert refused(room.tell(Tick(), after=10))
    assert not releases(room.show("E2"))


def test_ones_own_badge_shown_again_is_no_second() -> None:
    room = Room(TWO)
    room.show("E1")
    assert not releases(room.show("E1"))
    assert len(room.state.fleeting.waiting) == 1


def test_both_must_be_allowed() -> None:
    room = Room(TWO)
    room.show("E1")
    assert rules_of(room.show("E5")) == [("E5", "grant")]
    assert not releases(room.show("stranger"))
    assert releases(room.show("E2"))


def test_somebody_stopped_while_he_waits_is_no_second_any_more() -> None:
    room = Room(TWO)
    room.show("E1")
    room.desk.hold("E1")
    assert rules_of(room.show("E2")) == [("E2", "two-person")]


@pytest.mark.parametrize("event", [Withdrawn("E1", "hold"), Locked(on=True), Online("d1", "in", "x", False, False)])
def test_whoever_waits_is_dropped_when_something_ends_it(event: object) -> None:
    room = Room(TWO)
    room.show("E1")
    room.tell(event)
    assert not room.state.fleeting.waiting
    assert not releases(room.show("E2"))


def test_a_restart_forgets_who_waits() -> None:
    room = Room(TWO)
    room.show("E1")
    room.restart()
    assert not releases(room.show("E2"))


def test_badges_at_two_doors_are_not_together() -> None:
    room = Room(TWO, doors=(DoorConfig("d1"), DoorConfig("d2")))
    room.show("E1")
    assert not releases(room.show("E2", door="d2"))


def test_a_third_joins_those_inside_alone() -> None:
    room = Room(TWO)
    room.enter("E1", "E2")
    [entry] = records(room.show("E3"))
    assert entry.verdict.allow
    assert entry.together == ()


def test_where_those_inside_do_not_count_every_entry_takes_two_badges() -> None:
    room = Room(TWO, accompany=False)
    room.enter("E1", "E2")
    assert rules_of(room.show("E3")) == [("E3", "two-person")]
    assert rules_of(room.show("V1")) == [("V1", "allow")]  # a visitor's second is his escort, who is inside


def test_two_do_not_share_the_last_place() -> None:
    room = Room(replace(TWO, occupancy_limit=1))
    assert rules_of(room.show("E1")) == [("E1", "two-person")]
    assert rules_of(room.show("E2")) == [("E2", "limit")]


def test_who_would_come_too_late_for_the_limit_stays_while_the_others_go() -> None:
    room = Room(replace(TWO, occupancy_limit=2))
    room.enter("E1", "E2")
    assert rules_of(room.show("E3")) == [("E3", "limit")]


def test_of_more_than_the_room_takes_the_last_to_come_stays_behind() -> None:
    room = Room(replace(TWO, occupancy_limit=2))
    room.show("E1")
    room.show("V1")
    assert {one.person for one in records(room.show("E2"))} == {"E1", "E2"}
    assert [one.person for one in room.state.fleeting.waiting] == ["V1"]


def test_few_wait_at_once_and_the_first_to_come_gives_way() -> None:
    room = Room()
    for number in range(12):
        room.desk.enrol(replace(visitor(), id=f"N{number}"), 500 + number)
        room.tell(Read("d1", "in", 500 + number, room.now + 0.6, secure=True), after=0.6)
    assert [one.person for one in room.state.fleeting.waiting] == [f"N{number}" for number in range(4, 12)]


def test_with_a_visitor_one_is_still_alone() -> None:
    room = Room(TWO, lone_alarm=True)
    room.enter("E1", "E2")
    room.enter("V1")
    assert raised(room.through(room.show("E2", "out"))) == [AlarmKind.LONE]


def test_one_person_left_alone_is_an_alarm_and_never_a_blocked_exit() -> None:
    room = Room(TWO, lone_alarm=True)
    room.enter("E1", "E2")
    leaving = room.show("E1", "out")
    assert releases(leaving)
    assert raised(room.through(leaving)) == [AlarmKind.LONE]
    room.enter("E3")
    assert "lone" not in room.open_alarms()


def test_a_visitor_before_his_escort_waits_and_both_go_in_at_once() -> None:
    room = Room()
    first = room.show("V1")
    assert rules_of(first) == [("V1", "escort")]
    second = room.show("E1")
    assert {one.person for one in records(second)} == {"V1", "E1"}
    room.through(second)
    assert room.state.inside() == {"V1", "E1"}


def test_a_visitor_after_his_escort_goes_in_by_himself() -> None:
    room = Room()
    room.enter("E1")
    assert releases(room.show("V1"))


def test_another_than_the_escort_named_brings_no_visitor_in() -> None:
    room = Room()
    room.show("V1")
    assert [one.person for one in records(room.show("E2"))] == ["E2"]
    assert not room.state.inside()


def test_an_escort_who_is_not_allowed_brings_nobody_in() -> None:
    room = Room()
    room.desk.hold("E1")
    room.show("V1")
    assert not releases(room.show("E1"))


def test_a_visitor_is_no_second_person() -> None:
    room = Room(TWO)
    room.show("V1")
    assert rules_of(room.show("E1")) == [("E1", "two-person")]
    both = room.show("E2")
    assert {one.person for one in records(both)} == {"E1", "E2", "V1"}
    assert len(releases(both)) == 1


def test_a_visitor_left_by_his_escort_is_an_alarm() -> None:
    room = Room()
    room.show("V1")
    room.through(room.show("E1"))
    assert raised(room.through(room.show("E1", "out"))) == [AlarmKind.UNESCORTED]
    room.through(room.show("V1", "out"))
    assert "unescorted" not in room.open_alarms()


def test_the_custodian_opens_an_empty_room_and_the_others_follow() -> None:
    room = Room(RoomRules(first_in=True))
    assert rules_of(room.show("E2")) == [("E2", "first-in")]
    room.enter("E1")
    room.enter("E2")
    room.through(room.show("E1", "out"))
    assert releases(room.show("E3"))
    room.through(room.show("E2", "out"))
    room.through(room.show("E3", "out"))
    assert rules_of(room.show("E2")) == [("E2", "first-in")]
