"""One badge on the way in: decided by the rules, recorded before the strike, and only if the read can be trusted."""

from dataclasses import replace

import pytest

from agent.doors.messages import Read, Refuse, Release
from agent.rooms.panel.effects import AlarmKind, RecordEntry, RecordNote
from agent.rooms.panel.events import Restarted, Tick
from agent.rooms.panel.interface import BadgeHolder
from rules.model import Action, RoomRules
from tests.rooms.panel.kit import START, Room, outcomes, raised, records, refused, release, releases, rules_of
from tests.sentences import en


def test_a_badge_the_rules_allow_is_recorded_and_then_the_door_is_released() -> None:
    entry, strike = Room().show("E1")
    assert isinstance(entry, RecordEntry)
    assert (entry.person, entry.badge, entry.action, entry.verdict.allow) == ("E1", "101", Action.ENTER, True)
    assert strike == Release(entry.release, "d1", "in", 5.0)


def test_a_badge_the_rules_deny_is_recorded_and_refused_by_the_rule_that_denied() -> None:
    room = Room()
    effects = room.show("E5")
    assert rules_of(effects) == [("E5", "grant")]
    assert isinstance(effects[-1], Refuse)
    assert not releases(effects)


def test_a_hold_is_in_force_at_the_next_badge() -> None:
    room = Room()
    assert releases(room.show("E1"))
    room.desk.hold("E1")
    assert rules_of(room.show("E1")) == [("E1", "hold")]


def test_a_card_nobody_knows_is_recorded_with_its_number() -> None:
    effects = Room().show("stranger")
    [entry] = records(effects)
    assert (entry.person, entry.badge, entry.verdict.rule) == ("", "999", "nobody")
    assert "card 999" in en(entry.verdict.because)
    assert refused(effects)


def test_a_badge_of_another_site_with_the_same_number_is_a_copy() -> None:
    room = Room()
    room.desk.holders[101] = BadgeHolder("E1", "101", facility=7, bits=26)
    assert releases(room.show("E1", facility=7, bits=26))
    for other in ({"facility": 8, "bits": 26}, {"facility": 7, "bits": 34}):
        effects = room.show("E1", after=70, **other)
        assert rules_of(effects) == [("E1", "doubt")]
        assert raised(effects) == [AlarmKind.COPIED]


@pytest.mark.parametrize(
    ("read", "said", "alarms"),
    [
        ({"stale": True}, "the badge read is not current", []),
        ({"at": START - 60}, "the badge read is not current", []),
        ({"at": START + 60}, "the badge read is not current", []),
        ({"secure": False}, "read over a wire without authentication", [AlarmKind.UNTRUSTED]),
    ],
)
def test_a_read_that_cannot_be_trusted_is_recorded_and_never_unlocks(
    read: dict[str, object], said: str, alarms: list[AlarmKind]
) -> None:
    effects = Room().show("E1", **read)
    [entry] = records(effects)
    assert (entry.person, entry.verdict.rule) == ("E1", "doubt")
    assert said in en(entry.verdict.because)
    assert raised(effects) == alarms


def test_the_same_card_within_a_moment_is_one_read() -> None:
    room = Room()
    assert room.show("E1")
    assert room.show("E1", after=0.5) == ()
    assert room.show("E2", after=0.1) != ()  # somebody else is not a repetition
    assert room.show("E1", after=2.5) != ()


def test_a_card_that_was_shown_elsewhere_meanwhile_is_read_again_within_that_moment() -> None:
    room = Room()
    assert releases(room.show("E1"))
    assert releases(room.show("E1", "out", after=0.3))
    room.desk.hold("E1")
    assert rules_of(room.show("E1", after=0.3)) == [("E1", "hold")]
    assert room.show("E1", after=0.3) == ()  # the reader tells that one twice


def test_an_event_a_board_tells_twice_is_one_read_however_late_it_comes_again() -> None:
    room = Room()
    assert room.show("E1", index=17)
    assert not records(room.show("E1", index=17, after=30))
    assert records(room.show("E1", index=18, after=30))


def test_a_clock_that_goes_back_opens_nothing_and_the_next_badge_does() -> None:
    room = Room()
    room.show("E2")
    effects = room.show("E1", after=-3600)
    assert rules_of(effects) == [("E1", "doubt")]
    assert raised(effects) == [AlarmKind.CLOCK]
    assert releases(room.show("E1"))


def test_clocks_may_differ_a_little() -> None:
    room = Room()
    room.show("E2")
    assert releases(room.show("E1", after=-1.0))
    assert releases(room.show("E3", after=1.0, at=room.now + 2.5))


def test_a_clock_that_is_set_back_a_little_lengthens_nothing() -> None:
    room = Room(RoomRules(two_person=True), together_seconds=10.0)
    room.show("E1")
    for _ in range(5):
        before = room.state.latest
        room.tell(Tick(), after=-1.5)
        assert room.state.latest == before
        room.tell(Tick(), after=1.5)
    room.tell(Tick(), after=40)
    assert not room.state.fleeting.waiting


def test_a_flood_of_reads_is_counted_and_dropped_and_told_once() -> None:
    room = Room()
    effects = []
    for card in range(1000, 1060):
        effects += room.tell(Read("d1", "in", card, room.now, secure=True), after=0.01)
    assert len(records(tuple(effects))) == room.config.flood_reads
    assert raised(tuple(effects)) == [AlarmKind.FLOOD]
    [note] = [one for one in room.tell(Tick(), after=10) if isinstance(one, RecordNote)]
    assert "40 reads at `d1` were dropped" in en(note.text)
    assert releases(room.show("E1"))
    room.tell(Tick(), after=10)
    assert "flood" not in room.open_alarms()


@pytest.mark.parametrize("cut", [Restarted(), None], ids=["restart", "clock"])
def test_a_flood_whose_count_is_lost_ends_and_the_next_one_is_told(cut: Restarted | None) -> None:
    room = Room()
    for turn in range(2):
        told = []
        for card in range(1000, 1030):
            told += room.tell(Read("d1", "in", card, room.now, secure=True), after=0.01)
        assert raised(tuple(told)) == [AlarmKind.FLOOD]
        room.tell(cut or Tick(), after=1 if cut else -7200)
        assert "flood" not in room.open_alarms(), turn


def test_a_flood_that_goes_on_stays_one_alarm() -> None:
    room = Room()
    effects = []
    for number in range(400):
        effects += room.tell(Read("d1", "in", 1000 + number, room.now, secure=True), after=0.1)
    assert raised(tuple(effects)) == [AlarmKind.FLOOD]


def test_a_door_of_another_room_is_only_noted() -> None:
    [note] = Room().show("E1", door="elsewhere")
    assert isinstance(note, RecordNote)
    assert note.event_kind == "unknown-door"


def test_what_was_stated_before_goes_into_the_question_and_the_entry() -> None:
    room = Room(RoomRules(needs_purpose=True, needs_declaration=True))
    assert rules_of(room.show("E1")) == [("E1", "purpose")]
    room.desk.statements["E1"] = replace(room.desk.stated("E1"), purpose="inventory", declared=True)
    [entry] = records(room.show("E1"))
    assert (entry.verdict.allow, entry.purpose) == (True, "inventory")


def test_who_is_inside_is_part_of_the_question() -> None:
    room = Room(RoomRules(occupancy_limit=1))
    room.enter("E1")
    effects = room.show("E2")
    assert rules_of(effects) == [("E2", "limit")]
    assert room.desk.asked[-1].inside == {"E1"}


def test_every_badge_is_its_own_release() -> None:
    room = Room()
    ids = [release(room.show(person)).id for person in ("E1", "E2", "E3")]
    assert ids == ["vault/1", "vault/2", "vault/3"]
    assert outcomes(room.tell(Tick(), after=60)) == ["unknown"] * 3
