"""Rooms, doors, badges, visitors and what happens there: what is written is what the doors are told."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.errors import RefusedError
from agent.registry import connect
from agent.registry.columns import instant
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.schema.cases import CASES
from agent.registry.schema.first import FIRST
from agent.registry.store import Registry
from rules.model import Clearance, Employment, Level, Lockdown, Passback, RoomRules, RoomSettings, Visit
from rules.text import Text

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IN, OUT = "osdp+tcp://10.9.0.20:4001/1", "osdp+tcp://10.9.0.20:4001/2"
BOARD = "uhppote://10.9.0.10:60000/405419896/1"


def door(change: RegistryTransaction, name: str = "d1", **given: Any) -> None:
    change.doors.add(
        name, "vault", **{"protocol": "osdp", "readers": [(IN, "in"), (OUT, "out")], "strike": IN, **given}
    )


def test_a_room_is_read_back_as_it_was_set(site: Registry, reader: FactsReader, now: datetime) -> None:
    rules = RoomRules(two_person=True, needs_pin=True, anti_passback=Passback.HARD, occupancy_limit=4, first_in=True)
    settings = RoomSettings(
        held_open_seconds=10, together_seconds=20, accompany=False, lone_alarm=True, reset_at="04:00", location="楼 3"
    )
    with site.change(now) as change:
        change.rooms.add("lab", level=Level.SECRET, domain="state", rules=rules, settings=settings)
        change.contents.add("plans", "lab")
    found = reader.room("lab")
    assert found
    assert (found.resource.room, found.settings, found.keeps) == (rules, settings, ("plans",))
    assert [row.resource.id for row in reader.rooms()] == ["lab", "vault"]
    assert reader.room("plans") is None  # an area is no room


def kept_in_a_lower_room(change: RegistryTransaction) -> None:
    change.rooms.add("lab", level=Level.CONFIDENTIAL, domain="state")
    change.contents.add("plans", "lab")


def kept_in_a_room_of_another_domain(change: RegistryTransaction) -> None:
    change.rooms.add("lab", level=Level.TOP_SECRET, domain="work")
    change.contents.add("plans", "lab")


def the_room_is_lowered(change: RegistryTransaction) -> None:
    change.contents.add("plans", "vault")
    change.rooms.set("vault", level=Level.CONFIDENTIAL)


def what_is_kept_is_raised(change: RegistryTransaction) -> None:
    change.rooms.set("vault", level=Level.SECRET)
    change.contents.add("plans", "vault")
    change.areas.set("plans", level=Level.TOP_SECRET)


def what_is_kept_changes_its_domain(change: RegistryTransaction) -> None:
    change.contents.add("plans", "vault")
    change.areas.set("plans", domain="work")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (kept_in_a_lower_room, "only"),
        (kept_in_a_room_of_another_domain, "for `work`"),
        (the_room_is_lowered, "only"),
        (what_is_kept_is_raised, "only"),
        (what_is_kept_changes_its_domain, "for `state`"),
    ],
)
def test_a_room_is_never_below_what_is_kept_in_it(
    site: Registry, now: datetime, act: Callable[[RegistryTransaction], None], why: str
) -> None:
    with pytest.raises(RefusedError, match=why), site.change(now) as change:
        act(change)


def test_what_is_kept_elsewhere_holds_nothing_back(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.rooms.add("lab", level=Level.SECRET, domain="state")
        change.contents.add("plans", "vault")
        change.contents.add("plans", "lab")  # it moves
        change.rooms.set("vault", level=Level.INTERNAL)
        change.contents.remove("plans", "lab")
        change.areas.set("plans", level=Level.TOP_SECRET)
    assert [row.keeps for row in reader.rooms()] == [(), ()]


def test_a_removed_room_leaves_nothing_to_the_next_of_its_name(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        change.contents.add("plans", "vault")
        change.presence.enter("vault", "E1")
        change.room_states.set("vault", "{}")
        change.people.add("V1", employment=Employment.VISITOR)
        change.visits.add("V1", "vault", host="E1", escort="E1", purpose="x", until=now + HOUR)
        change.lockdowns.add("vault", reason="x")
        door(change)
    with pytest.raises(RefusedError, match="is a door of it"), site.change(now) as change:
        change.rooms.remove("vault")
    with site.change(now) as change:
        change.doors.remove("d1")
        change.rooms.remove("vault")
        change.rooms.add("vault", level=Level.NONE, domain="state")
    found = reader.room("vault")
    assert found
    assert found.keeps == ()
    assert (reader.presence(), reader.room_states(), reader.visits("V1"), reader.lockdowns()) == ((), {}, (), ())


def test_a_door_has_its_readers_by_side_and_keeps_their_keys(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        door(change, contact=True, strike_seconds=7)
    with site.note(now) as note:
        note.reader_keys.set(IN, "3f2a")
    with site.change(now) as change:
        change.doors.set("d1", readers=[(IN, "in")], output=2)
    [found] = reader.doors()
    assert (found.name, found.room, found.protocol, found.contact, found.strike_seconds) == (
        *("d1", "vault", "osdp"),
        *(True, 7),
    )
    assert [tuple(one) for one in found.readers] == [(IN, "in", "3f2a")]
    assert (found.strike, found.output) == (IN, 2)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"readers": [("a", "out")], "strike": "a"}, "no reader on the way in"),
        ({"readers": [("osdp+tcp://10.9.0.20:4001/9", "in")]}, "lock .* belongs to `d1`"),
        ({"readers": [(OUT, "in")], "strike": OUT}, "reader .* belongs to `d1`"),
        ({"readers": [("a", "in"), ("a", "out")], "strike": "a"}, "reader `a` exists"),
        ({"readers": [("a", "in")], "strike": "a", "strike_seconds": 26}, "26 s"),
        ({"readers": [("a", "in")], "strike": "a", "output": 256}, "not the number of an output"),
    ],
)
def test_a_badge_read_and_a_release_can_mean_only_one_door(
    site: Registry, now: datetime, given: dict[str, Any], why: str
) -> None:
    with site.change(now) as change:
        door(change)
    with pytest.raises(RefusedError, match=why), site.change(now) as change:
        door(change, "d2", **given)


def test_a_door_of_a_board_has_one_address_for_both_sides(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        door(change, protocol="uhppote", readers=[(BOARD, "in"), (BOARD, "out")], strike=BOARD)
    assert [one.side for one in reader.doors()[0].readers] == ["in", "out"]


def test_a_badge_stands_for_its_person_until_it_ends_is_lost_or_taken_back(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        change.badges.add("22", "E2", until=now + DAY, facility=12, bits=26)
    assert reader.person_of_badge("4660", now) == "E1"
    assert reader.person_of_badge("22", now + DAY - HOUR) == "E2"
    assert reader.person_of_badge("22", now + DAY) is None
    found = reader.badge("22")
    assert found
    assert (found.facility, found.bits) == (12, 26)
    with site.change(now) as change:
        assert change.badges.mark_lost("4660") == "E1"
    assert reader.person_of_badge("4660", now) is None
    lost = reader.badge("4660")
    assert lost
    assert lost.state == "lost"
    assert reader.facts(["E1"], "vault")[1].persons["E1"].badges == frozenset()
    with pytest.raises(RefusedError, match="belongs to `E1`"), site.change(now) as change:
        change.badges.add("4660", "E2")  # whoever found it may still hold it
    with site.change(now) as change:
        change.badges.remove("4660")
        change.badges.add("4660", "E2")
    assert reader.person_of_badge("4660", now) == "E2"
    with pytest.raises(RefusedError, match="would end before"), site.change(now) as change:
        change.badges.add("23", "E2", until=now)


def test_the_zeros_printed_before_a_number_make_no_other_badge(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with pytest.raises(RefusedError, match="`4660` exists already and belongs to `E1`"), site.change(now) as change:
        change.badges.add("0004660", "E2")
    with site.change(now) as change:
        change.badges.add("0012345678", "E2")
        change.badges.add("00A7", "E2")
        change.badges.add("000", "E2")
    assert reader.person_of_badge("0", now) == "E2"
    assert reader.person_of_badge("12345678", now) == "E2"
    assert reader.person_of_badge("00A7", now) == "E2"
    with site.change(now) as change:
        assert change.badges.mark_lost("00012345678") == "E2"
    lost = reader.badge("12345678")
    assert lost
    assert lost.state == "lost"


def test_a_pin_opens_one_for_duress_is_told_apart_and_none_can_be_read_back(
    site: Registry, reader: FactsReader, path: Path, now: datetime
) -> None:
    with site.change(now) as change:
        change.pins.set("E1", "471192", duress="918273")
        change.pins.set("E2", "471192")
    answers = [reader.check_pin("E1", word) for word in ("471192", "918273", "471193", "", "４７１１９２")]
    assert answers == ["ok", "duress", "wrong", "wrong", "wrong"]
    assert [reader.check_pin("E2", word) for word in ("471192", "918273")] == ["ok", "wrong"]
    assert reader.check_pin("E9", "471192") == "none"
    rows = [tuple(row) for row in site._connection.execute("SELECT salt, pin FROM pins")]
    assert rows[0][0] != rows[1][0]
    assert rows[0][1] != rows[1][1]
    site.close()
    assert b"471192" not in path.read_bytes()


@pytest.mark.parametrize(
    ("pin", "duress"),
    [("123", ""), ("123456789", ""), ("12a4", ""), ("１２３５", ""), ("1234", ""), ("7777", ""), ("4711", "4711")],
)
def test_a_pin_everybody_would_try_is_refused_without_being_repeated(
    site: Registry, now: datetime, pin: str, duress: str
) -> None:
    with pytest.raises(RefusedError) as caught, site.change(now) as change:
        change.pins.set("E1", pin, duress)
    assert pin not in " ".join((*caught.value.text, *(caught.value.hint or ())))


def test_a_visit_is_of_a_visitor_to_people_of_the_site_and_ends(
    site: Registry, reader: FactsReader, lists: RegistryQueries, now: datetime
) -> None:
    with site.change(now) as change:
        change.people.add("V1", name="来宾", employment=Employment.VISITOR)
        visit = change.visits.add("V1", "vault", host="E1", escort="E2", purpose="audit", until=now + HOUR)
    assert reader.facts(["V1"], "vault")[1].persons["V1"].visits == (
        Visit(visit, "vault", "E2", "E1", "audit", now, now + HOUR),
    )
    assert reader.facts(["V1"], "plans")[1].persons["V1"].visits == ()  # a visit says nothing about files
    assert reader.stated("V1", "vault", now) == ("audit", False, now + HOUR, "E2")
    assert reader.stated("V1", "vault", now + HOUR).purpose == ""
    with site.change(now) as change:
        change.presence.enter("vault", "V1")
        change.visits.end(visit, by="E1")
    assert reader.visits("V1") == ()
    assert [row["id"] for row in lists.visits.find(now=instant(now))] == [visit]  # he is still inside
    with site.change(now) as change:
        change.presence.leave("vault", "V1")
        change.visits.leave(visit)
    assert lists.visits.find(now=instant(now)) == []
    with pytest.raises(RefusedError, match="left at"), site.change(now) as change:
        change.visits.leave(visit)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"person": "E1"}, "`E1` is a visitor himself"),
        ({"escort": "V1"}, "is a visitor himself"),
        ({"host": "E9"}, "no person `E9`"),
        ({"purpose": " "}, "purpose is missing"),
        ({"hours": 0}, "end before it begins"),
        ({"hours": 24 * 32}, "31 days at most"),
    ],
)
def test_a_visit_that_is_none_is_refused(site: Registry, now: datetime, given: dict[str, Any], why: str) -> None:
    given = {"person": "V1", "host": "E1", "escort": "E2", "purpose": "audit", "hours": 1, **given}
    person, until = given.pop("person"), now + given.pop("hours") * HOUR
    with site.change(now) as change:
        change.people.add("V1", employment=Employment.VISITOR)
    with pytest.raises(RefusedError, match=why), site.change(now) as change:
        change.visits.add(person, "vault", until=until, **given)


def test_what_is_stated_holds_for_one_room_and_a_while(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        first = change.declarations.add("E1", "vault", purpose="inventory", until=now + DAY)
        change.declarations.add("E1", "vault", devices="", until=now + HOUR)
    assert reader.stated("E1", "vault", now) == ("inventory", True, now + HOUR, "")
    assert reader.stated("E1", "vault", now + HOUR) == ("inventory", False, now + DAY, "")
    assert reader.stated("E2", "vault", now) == ("", False, None, "")
    with site.change(now) as change:
        assert change.declarations.end(first) == "E1"
    assert reader.stated("E1", "vault", now) == ("", True, now + HOUR, "")
    with pytest.raises(RefusedError, match="nothing is stated"), site.change(now) as change:
        change.declarations.add("E1", "vault", purpose=" ", until=now + HOUR)


def test_what_happens_moves_no_epoch_and_an_officers_act_does(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    before = reader.epoch()
    with site.note(now) as note:
        note.presence.enter("vault", "E1", door="d1")
        note.presence.enter("vault", "E1", at=now + HOUR)  # they were inside already
        note.room_states.set("vault", '{"any": "thing"}')
        alarm = note.alarms.add("forced", Text("forced open", "被强行打开"), room="vault", door="d1", seq=7)
        note.boards.want_card("405419896", "4660", "put")
        note.boards.hear("405419896", 12)
    assert reader.epoch() == before
    [inside] = reader.presence("vault")
    assert inside == ("vault", "E1", now, "d1")
    assert reader.rooms_of("E1") == {"vault"}
    assert reader.facts(["E1"], "plans")[1].persons["E1"].inside == {"vault"}
    assert reader.room_states() == {"vault": '{"any": "thing"}'}
    assert [(one.id, one.kind, one.seq) for one in reader.open_alarms()] == [(alarm, "forced", 7)]
    assert reader.heard() == {"405419896": 12}
    with site.change(now) as change:
        change.alarms.acknowledge(alarm, by="E2", note="a cleaner")
        assert change.presence.leave("vault", "E1")
        assert not change.presence.leave("vault", "E1")
    assert reader.epoch() == before + 1
    assert (reader.open_alarms(), reader.presence()) == ((), ())
    with pytest.raises(RefusedError, match="acknowledged by `E2`"), site.change(now) as change:
        change.alarms.acknowledge(alarm, by="E1", note="x")


def test_a_note_cannot_write_what_officers_decide(site: Registry, now: datetime) -> None:
    with site.note(now) as note:
        assert not hasattr(note, "add_grant")
        assert not hasattr(note, "lift_lockdown")


def test_a_card_is_pending_until_its_board_has_confirmed_it(site: Registry, reader: FactsReader, now: datetime) -> None:
    why = Text("no answer", "无应答")
    with site.note(now) as note:
        note.boards.want_card("405419896", "4660", "put")
        note.boards.set_card("405419896", "4660", "confirmed")
        note.boards.want_card("405419896", "4660", "put")  # as it is: nothing to confirm again
        assert [row.state for row in reader.board_cards()] == []  # not committed yet
    assert [row.state for row in reader.board_cards()] == ["confirmed"]
    with site.note(now) as note:
        note.boards.want_card("405419896", "4660", "gone")
        note.boards.set_card("405419896", "4660", "pending", why)
    assert [(row.wanted, row.state, row.why) for row in reader.board_cards()] == [("gone", "pending", why)]
    with site.note(now) as note:
        note.boards.set_card("405419896", "4660", "confirmed")
    assert reader.board_cards() == ()


def test_lockdowns_of_room_and_site_stand_beside_each_other(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.lockdowns.add(reason="drill", by="E1")
        change.lockdowns.add("vault", reason="leak")
    both = (Lockdown(now, "", "drill"), Lockdown(now, "vault", "leak"))
    assert reader.lockdowns() == both == reader.facts([], "vault")[1].lockdowns
    with pytest.raises(RefusedError, match="locked down already"), site.change(now) as change:
        change.lockdowns.add(reason="again")
    with site.change(now) as change:
        change.lockdowns.lift(reason="over")
    assert [one.room for one in reader.lockdowns()] == ["vault"]
    with pytest.raises(RefusedError, match="is not locked down"), site.change(now) as change:
        change.lockdowns.lift(reason="over")


def test_this_machine_stands_where_somebody_said(site: Registry, reader: FactsReader, now: datetime) -> None:
    assert reader.facts([], "plans")[1].here == ""
    with site.change(now) as change:
        change.settings.set("host-room", "vault")
    assert reader.facts([], "plans")[1].here == reader.host_room() == "vault"


def test_rooms_and_badges_from_before_are_taken_over(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "registry.db"
    path.touch(0o600)
    with closing(connect.connect(path, "rw")) as old:
        for statement in (*FIRST, *CASES):
            old.execute(statement)
        at = instant(now)
        old.execute("INSERT INTO people VALUES ('E1', '', '', '', 'regular', 1, ?, NULL)", (at,))
        old.execute("INSERT INTO badges VALUES ('4660', 'E1')")
        old.execute(
            "INSERT INTO resources (name, kind, level, domain, mode, added_at)"
            " VALUES ('vault', 'room', 3, 'state', 'enforce', ?)",
            (at,),
        )
        old.execute("INSERT INTO rooms VALUES (1, 1, 0, 0)")
        old.execute("CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set, name, applied_at)")
        old.executemany(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('registry', ?, ?)",
            [("m001_first", at), ("m002_cases", at)],
        )
        old.execute(f"PRAGMA application_id = {connect.APPLICATION}")
        old.execute("PRAGMA user_version = 2")
        old.execute("PRAGMA journal_mode = WAL")
    with Registry(path) as registry, FactsReader(path) as reader:
        room = reader.room("vault")
        assert room
        assert room.resource.room == RoomRules(two_person=True)
        assert room.settings == RoomSettings()
        assert reader.person_of_badge("4660", now) == "E1"
        with registry.change(now) as change:
            change.people.set_clearance("E1", Clearance("state", Level.SECRET, approved_by="E2"))


def test_no_question_at_a_door_reads_a_whole_table(site: Registry, reader: FactsReader, now: datetime) -> None:
    asked: list[str] = []
    reader._connection.set_trace_callback(asked.append)
    reader.badge("4660")
    reader.facts(["E1"], "vault")
    reader.stated("E1", "vault", now)
    reader.rooms_of("E1")
    reader.check_pin("E1", "4711")
    reader._connection.set_trace_callback(None)
    questions = [question for question in asked if question.startswith("SELECT")]
    assert len(questions) > 15
    for question in questions:
        if not question.endswith(("FROM epoch", "FROM holidays")):
            for *_, step in reader._connection.execute(f"EXPLAIN QUERY PLAN {question}"):
                assert not step.startswith("SCAN"), f"{question}: {step}"
