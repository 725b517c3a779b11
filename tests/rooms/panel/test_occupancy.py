"""Who is where: one badge in one place, who was stopped while inside, and how an officer puts the list right."""

from datetime import UTC, datetime

import pytest

from agent.doors.messages import Online, OwnDecision, Power, RequestToExit, Tamper
from agent.rooms.panel.effects import AlarmKind, Cleared, Raise, RecordNote
from agent.rooms.panel.events import AlarmAcknowledged, DayOver, Reset, Tick, Withdrawn
from agent.rooms.panel.step import MOST_TIMES, REPEAT
from rules.model import Lockdown, Passback, RoomRules
from rules.text import Message
from tests.rooms.panel.kit import LONG_AGO, Room, moves, raised, records, releases, rules_of
from tests.sentences import en

HARD, SOFT = RoomRules(anti_passback=Passback.HARD), RoomRules(anti_passback=Passback.SOFT)


def test_a_badge_that_never_came_out_does_not_go_in_again() -> None:
    room = Room(HARD, passback="hard")
    room.enter("E1")
    effects = room.show("E1")
    assert rules_of(effects) == [("E1", "one-place")]
    assert raised(effects) == [AlarmKind.PASSBACK]
    room.through(room.show("E1", "out"))
    assert releases(room.show("E1"))


def test_where_the_room_is_soft_it_goes_in_and_the_officers_hear_of_it() -> None:
    room = Room(SOFT, passback="soft")
    room.enter("E1")
    effects = room.show("E1")
    assert raised(effects) == [AlarmKind.PASSBACK]
    assert releases(effects)


def test_where_the_room_asks_for_nothing_nobody_hears_of_it() -> None:
    room = Room()
    room.enter("E1")
    room.desk.elsewhere["E1"] = frozenset({"archive"})
    effects = room.show("E1")
    assert (raised(effects), len(releases(effects))) == ([], 1)


@pytest.mark.parametrize(("rules", "passback", "opens"), [(HARD, "hard", False), (SOFT, "soft", True)])
def test_a_badge_that_is_in_another_room_is_in_two_places(rules: RoomRules, passback: str, opens: bool) -> None:
    room = Room(rules, passback=passback)
    room.desk.elsewhere["E1"] = frozenset({"archive"})
    effects = room.show("E1")
    assert raised(effects) == [AlarmKind.TWO_PLACES]
    assert bool(releases(effects)) is opens


def test_an_officer_resets_one_person_or_everybody() -> None:
    room = Room(HARD, passback="hard", lone_alarm=True)
    room.enter("E1")
    room.enter("E2")
    assert moves(room.tell(Reset("E1"))) == [("E1", False, True)]
    assert "lone" in room.open_alarms()
    assert releases(room.show("E1"))
    room.through(room.tell(RequestToExit("d1"), after=20))
    assert room.state.unseen == 1
    assert moves(room.tell(Reset())) == [("E2", False, True)]
    assert (room.state.occupants, room.state.unseen) == ((), 0)
    assert moves(room.tell(Reset("E1"))) == []


def test_when_the_day_is_over_who_went_in_before_is_taken_off_the_list_and_nobody_else() -> None:
    room = Room(HARD, passback="hard")
    room.enter("E1")
    room.through(room.tell(RequestToExit("d1"), after=20))  # he leaves by the button, and nobody knows who it was
    assert rules_of(room.show("E1", after=60)) == [("E1", "one-place")]
    hour = room.now + 10
    room.tell(Tick(), after=30)
    room.enter("E2")
    effects = room.tell(DayOver(hour), after=1)
    assert moves(effects) == [("E1", False, True)]
    assert [(one.event_kind, one.person) for one in effects if isinstance(one, RecordNote)] == [("day-over", "E1")]
    assert (room.state.inside(), room.state.unseen) == ({"E2"}, 1)
    assert releases(room.show("E1"))
    assert room.tell(DayOver(hour)) == ()


def test_when_nobody_is_listed_any_more_the_list_names_nobody_too_many() -> None:
    room = Room()
    room.enter("E1")
    room.through(room.tell(RequestToExit("d1"), after=20))
    room.tell(DayOver(room.now), after=1)
    assert (room.state.occupants, room.state.unseen) == ((), 0)


def test_a_departure_that_lands_on_somebody_inside_is_told_and_he_may_leave() -> None:
    room = Room()
    room.enter("E1")
    room.desk.hold("E1")
    [alarm] = [one for one in room.tell(Withdrawn("E1", "departure")) if isinstance(one, Raise)]
    assert (alarm.kind, alarm.person) == (AlarmKind.STOPPED_INSIDE, "E1")
    assert "`departure`" in en(alarm.text)
    assert moves(room.through(room.show("E1", "out"))) == [("E1", False, True)]
    assert not releases(room.show("E1"))


def test_a_departure_of_somebody_who_is_not_inside_is_no_alarm() -> None:
    room = Room()
    room.enter("E1")
    assert raised(room.tell(Withdrawn("E2", "departure"))) == []


def test_a_departure_between_badge_and_door_takes_back_the_leavers_release_only() -> None:
    room = Room()
    room.show("E2")
    assert room.tell(Withdrawn("E1", "departure")) == ()


def test_a_lockdown_keeps_everybody_out_until_it_is_lifted() -> None:
    room = Room()
    room.desk.lockdowns = (Lockdown(LONG_AGO),)
    assert rules_of(room.show("E1")) == [("E1", "lockdown")]
    room.desk.lockdowns = ()
    assert releases(room.show("E1"))


def test_hours_of_lockdowns_to_come_do_not_count() -> None:
    room = Room()
    room.desk.lockdowns = (Lockdown(datetime(2030, 1, 1, tzinfo=UTC)), Lockdown(LONG_AGO, room="archive"))
    assert releases(room.show("E1"))


def test_a_momentary_alarm_is_not_repeated_within_a_minute_and_is_news_after_it() -> None:
    room = Room(HARD, passback="hard")
    room.enter("E1")
    assert raised(room.show("E1")) == [AlarmKind.PASSBACK]
    assert raised(room.show("E1")) == []
    assert raised(room.show("E1", after=70)) == [AlarmKind.PASSBACK]
    room.tell(Tick(), after=70)
    assert room.state.alarms == ()


def test_tamper_lasts_until_every_reader_is_closed_and_somebody_has_seen_it() -> None:
    room = Room()
    assert raised(room.tell(Tamper("d1", "in", active=True))) == [AlarmKind.TAMPER]
    assert raised(room.tell(Tamper("d1", "out", active=True))) == []
    assert room.tell(Tamper("d1", "in", active=False)) == ()
    room.tell(AlarmAcknowledged("tamper", "d1"))
    assert room.tell(Tamper("d1", "out", active=False)) == (Cleared(AlarmKind.TAMPER, "d1"),)
    assert room.state.alarms == ()


def test_a_second_time_is_a_new_alarm_also_before_the_first_was_seen() -> None:
    room = Room()
    for _ in range(2):
        assert raised(room.tell(Power("d1", failed=True))) == [AlarmKind.POWER]
        assert room.tell(Power("d1", failed=False)) == (Cleared(AlarmKind.POWER, "d1"),)
    assert len(room.state.alarms) == 1


def test_a_condition_that_flutters_is_told_a_few_times_a_minute_and_its_last_state_is_known() -> None:
    room = Room()
    for _ in range(500):
        room.tell(Tamper("d1", "in", active=True), after=0.05)
        room.tell(Tamper("d1", "in", active=False), after=0.05)
    assert raised(tuple(room.seen)) == [AlarmKind.TAMPER] * MOST_TIMES
    assert len([one for one in room.seen if isinstance(one, Cleared)]) == MOST_TIMES
    assert room.open_alarms() == set()
    room.tell(Tamper("d1", "in", active=True))
    assert room.open_alarms() == {"tamper"}
    room.tell(Tamper("d1", "in", active=False))
    assert raised(room.tell(Tamper("d1", "in", active=True), after=REPEAT)) == [AlarmKind.TAMPER]


def test_a_condition_that_goes_on_fluttering_is_told_anew_every_minute() -> None:
    room = Room()
    for _ in range(1500):
        room.tell(Tamper("d1", "in", active=True), after=0.1)
        room.tell(Tamper("d1", "in", active=False), after=0.1)
    assert 4 * MOST_TIMES <= len(raised(tuple(room.seen))) <= 6 * MOST_TIMES  # in five minutes


def test_a_reader_that_cannot_be_reached_is_an_alarm_with_the_reason() -> None:
    room = Room()
    why = Message("common.no-answer")
    [alarm] = [one for one in room.tell(Online("d1", "in", "osdp", False, False, why)) if isinstance(one, Raise)]
    assert (alarm.kind, alarm.text) == (AlarmKind.OFFLINE, why)
    assert raised(room.tell(Online("d1", "out", "osdp", False, False))) == []
    room.tell(Online("d1", "in", "osdp", True, True))
    assert "offline" in room.open_alarms()
    room.tell(Online("d1", "out", "osdp", True, True))
    assert "offline" not in room.open_alarms()


def test_a_board_that_decides_by_itself_is_an_alarm_when_it_lets_somebody_in() -> None:
    room = Room()
    assert raised(room.tell(OwnDecision("d1", 101, granted=True, reason=1))) == [AlarmKind.OWN_DECISION]
    [note] = room.tell(OwnDecision("d1", 101, granted=False, reason=6))
    assert isinstance(note, RecordNote)


def test_two_persons_denied_for_two_reasons_are_two_entries() -> None:
    room = Room(HARD, passback="hard")
    room.enter("E1")
    assert [one.verdict.rule for one in records(room.show("E1")) + records(room.show("E5"))] == ["one-place", "grant"]
