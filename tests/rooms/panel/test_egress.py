"""The way out: never refused, always recorded, and the list of who is inside follows it."""

from agent.doors.messages import Contact, Released, RequestToExit
from agent.rooms.panel.effects import AlarmKind, RecordNote
from agent.rooms.panel.events import Locked, Tick
from agent.rooms.panel.interface import BadgeHolder
from rules.model import Action, Lockdown, Passback, RoomRules
from tests.rooms.panel.kit import Room, moves, outcomes, raised, records, release, releases

STRICT = RoomRules(
    two_person=True, needs_purpose=True, needs_declaration=True, needs_pin=True, occupancy_limit=1, first_in=True
)


def test_a_badge_on_the_way_out_opens_and_is_recorded_first() -> None:
    room = Room()
    room.enter("E1")
    leaving = room.show("E1", "out")
    [entry] = records(leaving)
    assert (entry.action, entry.verdict.rule, entry.verdict.allow) == (Action.EXIT, "exit", True)
    assert moves(room.through(leaving)) == [("E1", False, True)]
    assert room.state.occupants == ()


def test_nothing_a_room_asks_of_those_who_enter_is_asked_of_those_who_leave() -> None:
    room = Room(STRICT)
    room.desk.lockdowns = (Lockdown(room.desk.people["E1"].grants[0].since),)
    room.desk.hold("E1")
    room.tell(Locked(on=True))
    for person in ("E1", "E5", "V1", "stranger"):
        assert releases(room.show(person, "out", after=10)), person


def test_the_way_out_asks_the_rules_nothing() -> None:
    room = Room()
    room.show("E1", "out")
    assert room.desk.asked == []


def test_a_read_that_waited_or_came_in_clear_does_not_unlock_the_way_out_either() -> None:
    room = Room()
    room.enter("E1")
    for read in ({"stale": True}, {"secure": False}):
        effects = room.show("E1", "out", **read)
        assert len(records(effects)) == 1
        assert not releases(effects)
    assert releases(room.show("E1", "out", at=0.0))  # old by our own clock: we may be slow, he may still go


def test_a_copied_badge_goes_out_and_the_real_one_stays_inside() -> None:
    room = Room()
    room.enter("E1")
    room.desk.holders[101] = BadgeHolder("E1", "101", facility=7)
    leaving = room.show("E1", "out", facility=8)
    assert raised(leaving) == [AlarmKind.COPIED]
    room.through(leaving)
    assert room.state.inside() == {"E1"}


def test_somebody_who_was_never_seen_to_enter_goes_out_and_is_noted() -> None:
    effects = Room().show("E1", "out")
    assert releases(effects)
    assert [one.event_kind for one in effects if isinstance(one, RecordNote)] == ["not-inside"]


def test_the_button_opens_and_the_list_says_that_it_may_name_too_many() -> None:
    room = Room()
    room.enter("E1")
    pressed = room.tell(RequestToExit("d1"), after=5)
    [entry] = records(pressed)
    assert (entry.how, entry.person, entry.action) == ("button", "", Action.EXIT)
    room.through(pressed)
    assert (room.state.unseen, room.state.inside()) == (1, {"E1"})


def test_the_button_and_unknown_cards_again_and_again_are_one_entry_while_the_strike_lasts() -> None:
    room = Room()
    effects = room.tell(RequestToExit("d1"))
    for _ in range(10):
        effects += room.tell(RequestToExit("d1"), after=0.1)
        effects += room.show("stranger", "out", after=0.1)
    assert len(records(effects)) == len(releases(effects)) == 1
    assert releases(room.tell(RequestToExit("d1"), after=5))


def test_a_badge_shown_twice_on_the_way_out_is_one_release_while_the_strike_lasts() -> None:
    room = Room()
    assert releases(room.show("E1", "out"))
    assert not releases(room.show("E1", "out", after=1))
    assert releases(room.show("E1", "out", after=5))


def test_a_flood_on_the_way_in_does_not_touch_the_way_out() -> None:
    room = Room(flood_reads=1)
    for _ in range(5):
        room.show("stranger", after=2.1)
    assert not records(room.show("E1", after=0.1))
    assert releases(room.show("E1", "out", after=0.1))


def test_a_clock_that_goes_back_keeps_nobody_in_and_loses_nobody() -> None:
    room = Room()
    room.enter("E1")
    leaving = room.show("E1", "out", after=-3600)
    assert releases(leaving)
    assert moves(room.through(leaving)) == [("E1", False, True)]


def test_the_button_opens_again_when_the_clock_has_gone_back() -> None:
    room = Room()
    assert releases(room.tell(RequestToExit("d1")))
    assert releases(room.tell(RequestToExit("d1"), after=-100))


def test_a_release_on_the_way_out_that_nobody_used_leaves_him_inside() -> None:
    room = Room()
    room.enter("E1")
    room.show("E1", "out")
    assert outcomes(room.tell(Tick(), after=60)) == ["unknown"]
    assert room.state.inside() == {"E1"}


def test_whoever_shows_his_badge_on_the_other_side_of_a_door_that_opened_has_gone_through() -> None:
    room = Room()
    room.show("E1")
    room.tell(Contact("d1", open=True), after=1)  # and the strike never answers
    leaving = room.show("E1", "out")
    assert outcomes(leaving) == ["used"]
    assert moves(leaving) == [("E1", True, True)]


def test_a_badge_handed_out_through_a_door_that_stayed_shut_does_not_go_in_again() -> None:
    room = Room(RoomRules(anti_passback=Passback.HARD), passback="hard")
    room.enter("E1")
    room.tell(Released(release(room.show("E1", "out")).id, ok=True))
    effects = room.show("E1")
    assert [one.verdict.rule for one in records(effects)] == ["one-place"]
    assert raised(effects) == [AlarmKind.PASSBACK]
