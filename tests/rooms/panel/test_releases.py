"""What became of a release: used, unused, failed, unknown; and what the contact of the door says by itself."""

import pytest

from agent.doors.messages import Contact, Flush, Read, Released, RequestToExit, Signal
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, Cleared, RecordNote
from agent.rooms.panel.engine import due
from agent.rooms.panel.events import AlarmAcknowledged, Freed, Locked, ReleaseUnrecorded, Restarted, Tick, Withdrawn
from rules.model import Person
from rules.text import Message
from tests.rooms.panel.kit import Room, moves, outcomes, raised, refused, release, releases

NO_CONTACT = (DoorConfig("d1"),)


def test_a_release_is_used_when_the_door_opens() -> None:
    room = Room()
    opened = room.through(room.show("E1"))
    assert outcomes(opened) == ["used"]
    assert moves(opened) == [("E1", True, True)]
    assert room.state.passages == ()


def test_without_a_contact_the_strike_alone_bears_it_out() -> None:
    room = Room(doors=NO_CONTACT)
    assert moves(room.through(room.show("E1"), contact=False)) == [("E1", True, True)]


def test_contacts_of_a_door_that_has_none_say_nothing() -> None:
    room = Room(doors=NO_CONTACT)
    assert room.tell(Contact("d1", open=True)) == ()


def test_a_door_that_was_not_opened_lets_nobody_in() -> None:
    room = Room()
    room.tell(Released(release(room.show("E1")).id, ok=True))
    assert outcomes(room.tell(Tick(), after=11)) == ["unused"]
    assert room.state.inside() == frozenset()


def test_a_door_that_says_again_that_it_is_closed_settles_nothing() -> None:
    room = Room()
    shown = room.show("E1")
    assert room.tell(Contact("d1", open=False)) == ()
    assert moves(room.through(shown)) == [("E1", True, True)]


def test_a_strike_that_fails_is_an_alarm_and_lets_nobody_in() -> None:
    room = Room()
    why = Message("doors.reader-offline")
    effects = room.tell(Released(release(room.show("E1")).id, ok=False, why=why))
    assert outcomes(effects) == ["failed"]
    assert raised(effects) == [AlarmKind.NOT_RELEASED]
    assert room.state.inside() == frozenset()
    assert raised(room.tell(Contact("d1", open=True), after=1)) == [AlarmKind.FORCED]


def test_a_lock_that_is_only_said_to_have_opened_leaves_open_whether_anybody_is_inside() -> None:
    room = Room(doors=NO_CONTACT, passback="hard")
    effects = room.tell(Released(release(room.show("E1")).id, ok=True, confirmed=False))
    assert outcomes(effects) == ["unknown"]
    assert moves(effects) == [("E1", True, False)]
    assert [one.event_kind for one in effects if isinstance(one, RecordNote)] == ["unconfirmed"]
    assert room.state.inside() == frozenset()
    assert releases(room.show("E1"))  # the way in is not shut to him


@pytest.mark.parametrize("opens", [True, False])
def test_where_a_contact_says_whether_the_door_opened_it_counts_and_not_the_lock(opens: bool) -> None:
    room = Room()
    said = room.tell(Released(release(room.show("E1")).id, ok=True, confirmed=False))
    assert outcomes(said) == []
    later = room.tell(Contact("d1", open=True), after=1) if opens else room.tell(Tick(), after=11)
    assert outcomes(later) == ["used" if opens else "unused"]


def test_the_contact_bears_out_a_strike_that_never_answered() -> None:
    room = Room()
    room.show("E1")
    room.tell(Contact("d1", open=True), after=1)
    effects = room.tell(Tick(), after=11)
    assert outcomes(effects) == ["used"]
    assert room.state.inside() == {"E1"}


def test_the_same_answer_twice_and_answers_to_nothing_change_nothing() -> None:
    room = Room()
    shown = room.show("E1")
    room.through(shown)
    before = room.state
    assert room.tell(Released(release(shown).id, ok=False)) == ()
    assert room.tell(Released("vault/77", ok=True)) == ()
    assert room.state == before


def test_a_badge_at_an_open_door_is_inside_when_the_strike_answers() -> None:
    room = Room()
    room.through(room.show("E1"), contact=False)
    room.tell(Contact("d1", open=True), after=1)
    assert moves(room.through(room.show("E2", after=0.5), contact=False)) == [("E2", True, True)]


@pytest.mark.parametrize("side", ["in", "out"])
def test_a_restart_between_release_and_answer_is_settled_as_unknown(side: str) -> None:
    room = Room()
    if side == "out":
        room.enter("E1")
    room.show("E1", side)
    room.restart()
    assert outcomes(room.tell(Restarted(), after=1)) == []
    effects = room.tell(Contact("d1", open=False), after=1)
    if side == "out":
        room.tell(Tick(), after=6)
    else:
        assert outcomes(effects) == ["unknown"]
    assert room.state.inside() == frozenset()
    assert [(one.person, one.sure) for one in room.state.occupants] == [("E1", False)]


def test_after_a_restart_an_open_door_bears_the_entry_out() -> None:
    room = Room()
    room.show("E1")
    room.restart()
    room.tell(Restarted(), after=1)
    room.tell(Contact("d1", open=True), after=1)
    assert outcomes(room.tell(Tick(), after=6)) == ["used"]
    assert room.state.inside() == {"E1"}


def test_after_a_restart_without_a_contact_nobody_knows() -> None:
    room = Room(doors=NO_CONTACT)
    room.show("E1")
    room.restart()
    room.tell(Restarted(), after=1)
    effects = room.tell(Tick(), after=6)
    assert outcomes(effects) == ["unknown"]
    assert moves(effects) == [("E1", True, False)]
    assert releases(room.show("E1"))  # perhaps inside: the way in is not shut to him


def test_who_is_inside_survives_a_restart() -> None:
    room = Room()
    room.enter("E1")
    before = room.state.occupants
    room.restart()
    assert room.state.occupants == before


def test_no_release_without_its_entry_and_the_alarm_says_so() -> None:
    room = Room()
    effects = room.tell(ReleaseUnrecorded(release(room.show("E1")).id))
    assert raised(effects) == [AlarmKind.UNRECORDED]
    assert refused(effects)
    assert room.state.passages == ()
    assert raised(room.tell(Contact("d1", open=True), after=1)) == [AlarmKind.FORCED]


def test_the_way_out_does_not_wait_for_the_log() -> None:
    room = Room()
    room.enter("E1")
    leaving = room.show("E1", "out")
    effects = room.tell(ReleaseUnrecorded(release(leaving).id))
    assert raised(effects) == [AlarmKind.UNRECORDED]
    assert not refused(effects)
    assert moves(room.through(leaving)) == [("E1", False, True)]


@pytest.mark.parametrize("event", [Locked(on=True), Withdrawn("E1", "departure")])
def test_a_strike_not_yet_answered_is_taken_back(event: object) -> None:
    room = Room()
    room.show("E1")
    assert Flush("d1") in room.tell(event)


def test_nothing_is_taken_back_where_somebody_waits_to_leave() -> None:
    room = Room()
    room.enter("E2")
    room.show("E1")
    room.show("E2", "out")
    assert room.tell(Locked(on=True)) == ()


def test_a_strike_released_by_an_officer_from_afar_excuses_the_opening_and_counts_nobody() -> None:
    room = Room()
    assert room.tell(Freed("d1", 5.0)) == room.tell(Freed("d9", 5.0)) == ()
    effects = room.tell(Contact("d1", open=True), after=2)
    assert (raised(effects), moves(effects)) == ([], [])
    assert raised(room.tell(Tick(), after=30)) == [AlarmKind.HELD]


def test_what_was_so_earlier_is_noted_and_changes_nothing() -> None:
    room = Room()
    room.show("E1")
    before = room.state
    for event in (
        Contact("d1", open=True, stale=True),
        Contact("d1", open=False, stale=True),
        RequestToExit("d1", stale=True),
    ):
        [note] = room.tell(event)
        assert isinstance(note, RecordNote)
    assert room.state == before


def test_the_end_of_a_lockdown_takes_nothing_back() -> None:
    room = Room()
    room.show("E1")
    assert room.tell(Locked(on=False)) == ()


def test_a_door_opened_with_nobody_let_through_is_forced() -> None:
    room = Room()
    effects = room.tell(Contact("d1", open=True))
    assert raised(effects) == [AlarmKind.FORCED]
    assert Signal("d1", "in", buzzer="alarm") in effects
    closing = room.tell(Contact("d1", open=False), after=1)
    assert Cleared(AlarmKind.FORCED, "d1") in closing
    assert [alarm.kind for alarm in room.state.alarms] == ["forced"]  # open until somebody has seen it
    room.tell(AlarmAcknowledged("forced", "d1"))
    assert room.state.alarms == ()


def test_a_door_that_opens_again_while_the_strike_lasts_is_not_forced() -> None:
    room = Room()
    room.through(room.show("E1"))
    assert raised(room.tell(Contact("d1", open=True), after=1)) == []
    room.tell(Contact("d1", open=False), after=1)
    assert raised(room.tell(Contact("d1", open=True), after=60)) == [AlarmKind.FORCED]


def test_a_door_forced_while_the_agent_was_away_is_told_at_the_next_word() -> None:
    room = Room()
    room.tell(Contact("d1", open=False))
    room.restart()
    room.tell(Restarted(), after=60)
    assert raised(room.tell(Contact("d1", open=True))) == [AlarmKind.FORCED]


def test_a_door_held_open_is_told_once_and_over_when_it_closes() -> None:
    room = Room(doors=(DoorConfig("d1", contact=True, held_seconds=30.0),))
    room.tell(Released(release(room.show("E1")).id, ok=True))
    room.tell(Contact("d1", open=True), after=1)
    assert raised(room.tell(Tick(), after=20)) == []
    assert raised(room.tell(Contact("d1", open=True), after=9)) == []  # said again: it opened no later for that
    assert due(room.state, room.config) == room.now + 1
    assert raised(room.tell(Tick(), after=1)) == [AlarmKind.HELD]
    assert due(room.state, room.config) is None
    assert raised(room.tell(Tick(), after=60)) == []
    seen = room.tell(AlarmAcknowledged("held", "d1"))
    assert Signal("d1", "in", buzzer="off") in seen
    closing = room.tell(Contact("d1", open=False))
    assert Cleared(AlarmKind.HELD, "d1") in closing
    assert not any(isinstance(one, Signal) for one in closing)  # it is quiet already
    assert room.state.alarms == ()


def test_a_door_may_be_allowed_to_stand_open() -> None:
    room = Room(doors=(DoorConfig("d1", contact=True, held_seconds=0.0),))
    room.tell(Released(release(room.show("E1")).id, ok=True))
    room.tell(Contact("d1", open=True), after=1)
    assert raised(room.tell(Tick(), after=9999)) == []


def test_what_was_open_for_a_while_is_not_open_for_longer_when_the_clock_goes_back() -> None:
    room = Room()
    room.show("E1")
    room.tell(Tick(), after=-7200)
    assert raised(room.tell(Contact("d1", open=True), after=60)) == [AlarmKind.FORCED]


def test_many_releases_at_once_are_settled_and_not_kept() -> None:
    room = Room()
    effects = ()
    for number in range(40):
        room.desk.enrol(Person(f"N{number}"), 500 + number)
        effects += room.tell(Read("d1", "out", 500 + number, room.now, secure=True), after=0.01)
    assert len(releases(effects)) == 40
    assert len(room.state.passages) == 32
    assert outcomes(effects) == ["unknown"] * 8


def test_a_restart_makes_nobody_less_certain_who_was_inside_before() -> None:
    room = Room()
    room.enter("E1")
    room.show("E1")  # in again, where nobody asks
    room.restart()
    room.tell(Restarted(), after=1)
    assert outcomes(room.tell(Contact("d1", open=False), after=1)) == ["unknown"]
    assert room.state.inside() == {"E1"}
