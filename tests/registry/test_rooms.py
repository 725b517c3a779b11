"""Rooms: what is kept in one, what happens in it, and what locks it down or removes it."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.registry import connect
from agent.registry.columns import instant
from agent.registry.facts import FactsReader
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.schema.cases import CASES
from agent.registry.schema.first import FIRST
from agent.registry.store import Registry
from rules.model import Clearance, Employment, Level, Lockdown, Passback, RoomRules, RoomSettings
from rules.text import Text
from tests.registry.conftest import HOUR
from tests.registry.doors import door


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
        (kept_in_a_lower_room, r"rules.content-above-room"),
        (kept_in_a_room_of_another_domain, r"rules.content-domain-differs.*work"),
        (the_room_is_lowered, r"rules.content-above-room"),
        (what_is_kept_is_raised, r"rules.content-above-room"),
        (what_is_kept_changes_its_domain, r"rules.content-domain-differs.*state"),
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
    with pytest.raises(RefusedError, match=r"registry.room-has-door"), site.change(now) as change:
        change.rooms.remove("vault")
    with site.change(now) as change:
        change.doors.remove("d1")
        change.rooms.remove("vault")
        change.rooms.add("vault", level=Level.NONE, domain="state")
    found = reader.room("vault")
    assert found
    assert found.keeps == ()
    assert (reader.presence(), reader.room_states(), reader.visits("V1"), reader.lockdowns()) == ((), {}, (), ())


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
    with pytest.raises(RefusedError, match=r"registry.alarm-already-acknowledged.*E2"), site.change(now) as change:
        change.alarms.acknowledge(alarm, by="E1", note="x")


def test_a_note_cannot_write_what_officers_decide(site: Registry, now: datetime) -> None:
    with site.note(now) as note:
        assert not hasattr(note, "add_grant")
        assert not hasattr(note, "lift_lockdown")


def test_lockdowns_of_room_and_site_stand_beside_each_other(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.lockdowns.add(reason="drill", by="E1")
        change.lockdowns.add("vault", reason="leak")
    both = (Lockdown(now, "", "drill"), Lockdown(now, "vault", "leak"))
    assert reader.lockdowns() == both == reader.facts([], "vault")[1].lockdowns
    with pytest.raises(RefusedError, match=r"registry.already-locked-down"), site.change(now) as change:
        change.lockdowns.add(reason="again")
    with site.change(now) as change:
        change.lockdowns.lift(reason="over")
    assert [one.room for one in reader.lockdowns()] == ["vault"]
    with pytest.raises(RefusedError, match=r"registry.not-locked-down"), site.change(now) as change:
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
