"""From a badge to a strike: recorded first, on disk first, and settled after whatever happened in between."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from agent.doors.messages import Contact, Flush, KeyPress, Refuse, Release, Released, RequestToExit
from agent.errors import FatalError, RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.model import Level, Passback, RoomRules, RoomSettings
from tests import needs
from tests.log.disk import memory_mounted
from tests.rooms.site import BOARD, Kit, grant, kit
from tests.sentences import en


@pytest.fixture
def site() -> Iterator[Kit]:
    with kit() as made:
        yield made


def test_the_entry_is_in_the_log_before_the_release_is_sent(site: Kit) -> None:
    seen: list[list[dict[str, object]]] = []
    send = site.send
    site.send = lambda frame: (seen.append(site.entries(kind="door")), send(frame))[1]  # type: ignore[assignment]
    [release] = site.swipe("E1")
    [[entry]] = seen
    assert (entry["person"], entry["verdict"], entry["release"], entry["released"]) == ("E1", "allow", release.id, "?")
    assert (entry["room"], entry["door"], entry["badge"], entry["level"]) == ("vault", "vault", "1001", "secret")


def test_the_room_expects_an_answer_on_disk_before_the_release_is_sent(site: Kit) -> None:
    stored: list[str] = []
    send = site.send
    site.send = lambda frame: (stored.append(site.building.reader.room_states()["vault"]), send(frame))[1]  # type: ignore[assignment]
    [release] = site.swipe("E1")
    assert release.id in stored[0]


def test_who_went_in_is_inside_once_the_door_opened_and_out_once_it_opened_again(site: Kit) -> None:
    site.enter("E1")
    assert [row.person for row in site.building.reader.presence()] == ["E1"]
    assert site.entries(kind="door-released")[0]["released"] == "used"
    [release] = site.swipe("E1", side="out")
    site.rooms.answered(Released(release.id, ok=True))
    site.rooms.heard("vault", Contact("vault", open=True))
    assert site.building.reader.presence() == ()


@pytest.mark.parametrize("badge", ["777", "1002"])
def test_an_unknown_or_lost_badge_is_refused_and_recorded(site: Kit, badge: str) -> None:
    with site.officer() as change:
        change.badges.mark_lost("1002")
    assert site.swipe(badge) == []
    [entry] = site.entries(kind="door")
    assert (entry["verdict"], entry["person"], entry["badge"]) == ("deny", None, badge)
    assert isinstance(site.sent[-1], Refuse)


def test_a_cloned_badge_is_refused_and_an_alarm(site: Kit) -> None:
    with site.officer() as change:
        change.badges.remove("1001")
        change.badges.add("1001", "E1", facility=12)
    assert site.swipe("E1", facility=99, bits=26) == []
    assert site.entries(kind="door")[0]["rule"] == "doubt"
    assert site.entries(kind="door-alarm")[0]["what"] == "copied"
    assert len(site.swipe("E1", facility=12, bits=26)) == 1


def test_a_badge_in_two_places_is_an_alarm_and_refused_where_the_room_says_so(site: Kit) -> None:
    with site.officer() as change:
        change.rooms.add("lab", level=Level.SECRET, domain="state", rules=RoomRules(anti_passback=Passback.HARD))
        change.doors.add("lab", "lab", protocol="uhppote", readers=[(BOARD, "in")], strike=BOARD)
        grant(change, "E1", "lab")
    site.enter("E1")
    assert site.swipe("E1", door="lab") == []
    assert [entry["rule"] for entry in site.entries(kind="door", room="lab")] == ["one-place"]
    assert [row.kind for row in site.building.reader.open_alarms()] == ["two-places"]


def strict_about_places(change: RegistryTransaction) -> None:
    change.rooms.set("vault", RoomRules(anti_passback=Passback.HARD))


def left_by_the_button(site: Kit) -> None:
    site.enter("E1")
    site.rooms.heard("vault", RequestToExit("vault"))
    release = next(frame for frame in reversed(site.sent) if isinstance(frame, Release))
    site.rooms.answered(Released(release.id, ok=True))
    site.rooms.heard("vault", Contact("vault", open=True))
    site.rooms.heard("vault", Contact("vault", open=False))


def emptied_in_an_hour(site: Kit) -> None:
    hour = (site.now() + timedelta(hours=1)).astimezone().strftime("%H:%M")
    with site.officer() as change:
        change.rooms.set("vault", RoomRules(anti_passback=Passback.HARD), RoomSettings(reset_at=hour))


def test_who_left_by_the_button_does_not_come_in_again_until_an_officer_says_so() -> None:
    with kit(strict_about_places) as site:
        left_by_the_button(site)
        site.ahead += timedelta(hours=14)
        site.rooms.tick()
        assert site.swipe("E1") == []
        assert site.entries(kind="door", person="E1")[-1]["rule"] == "one-place"
        with site.officer() as change:
            change.presence.leave("vault", "E1")
        assert len(site.swipe("E1")) == 1


@pytest.mark.parametrize("slept", [False, True], ids=["awake", "asleep"])
def test_or_until_the_hour_at_which_the_room_is_taken_to_be_empty(*, slept: bool) -> None:
    with kit(strict_about_places) as site:
        left_by_the_button(site)
        emptied_in_an_hour(site)
        site.rooms.tick()
        assert site.rooms.inside("E1") == ["vault"]
        site.ahead += timedelta(hours=14)
        if slept:
            site.crash()
        site.rooms.tick()
        assert site.building.reader.presence() == ()
        assert [entry["person"] for entry in site.entries(what="day-over")] == ["E1"]
        site.enter("E1")
        site.ahead += timedelta(minutes=1)
        site.rooms.tick()
        assert site.rooms.inside("E1") == ["vault"]  # he came after that hour


def test_a_hold_ends_the_badge_at_once_and_the_way_out_stays_open(site: Kit) -> None:
    site.enter("E1")
    with site.officer() as change:
        change.holds.add("E1", reason="test")
    assert [row.kind for row in site.building.reader.open_alarms()] == ["stopped-inside"]
    assert site.swipe("E1") == []
    assert site.entries(kind="door", verdict="deny")[0]["rule"] == "hold"
    assert len(site.swipe("E1", side="out")) == 1


def test_a_hold_that_lands_before_the_strike_has_fallen_back_may_come_too_late_and_is_told_at_once(site: Kit) -> None:
    [release] = site.swipe("E1")
    site.rooms.answered(Released(release.id, ok=True))
    with site.officer() as change:
        change.holds.add("E1", reason="test")
    assert site.building.reader.open_alarms() == ()
    site.rooms.heard("vault", Contact("vault", open=True))
    assert site.rooms.inside("E1") == ["vault"]
    assert [(row.kind, row.person) for row in site.building.reader.open_alarms()] == [("stopped-inside", "E1")]
    assert site.entries(kind="door", verdict="allow")[0]["release"] == release.id


def test_a_badge_that_becomes_somebody_elses_while_its_owner_is_inside_is_an_alarm_by_name(site: Kit) -> None:
    site.enter("E1")
    with site.officer() as change:
        change.badges.remove("1001")
        change.badges.add("1001", "E2")
    [alarm] = site.building.reader.open_alarms()
    assert (alarm.kind, alarm.room, alarm.person) == ("badge-gone", "vault", "E1")
    assert "`E1` is inside `vault` with badge `1001`, which now belongs to `E2`" in en(alarm.text)
    for text in alarm.text:
        assert "shoumi occupancy reset vault E1" in text
    with site.officer() as change:  # and once is enough
        change.people.add("E9")
    site.ahead += timedelta(seconds=120)
    with site.officer() as change:
        change.presence.leave("vault", "E1")
    assert len(site.entries(kind="door-alarm")) == 1
    assert site.entries(what="badge-gone-over")
    site.enter("1001")
    assert site.rooms.inside("E2") == ["vault"]


@pytest.mark.parametrize("becomes", ["lost", "returned"])
def test_somebody_inside_whose_only_badge_is_gone_is_an_alarm_and_with_another_badge_none(
    site: Kit, becomes: str
) -> None:
    with site.officer() as change:
        change.badges.add("2002", "E2")
    for person in ("E1", "E2"):
        site.enter(person)
    with site.officer() as change:
        for badge in ("1001", "1002"):
            (change.badges.mark_lost if becomes == "lost" else change.badges.remove)(badge)
    assert [(row.kind, row.person) for row in site.building.reader.open_alarms()] == [("badge-gone", "E1")]


def test_a_lockdown_refuses_everybody_drops_what_waits_and_lets_people_out(site: Kit) -> None:
    site.swipe("E1")
    with site.officer() as change:
        change.lockdowns.add("", reason="test")
    assert Flush("vault") in site.sent
    assert site.swipe("E2") == []
    assert site.entries(kind="door", person="E2")[0]["rule"] == "lockdown"
    assert len(site.swipe("E2", side="out")) == 1


def test_two_people_enter_together_by_one_release_with_an_entry_each() -> None:
    with kit(lambda change: change.rooms.set("vault", RoomRules(two_person=True))) as site:
        assert site.swipe("E1") == []
        [release] = site.swipe("E2")
        both = site.entries(kind="door", verdict="allow")
        assert {(entry["person"], entry["release"]) for entry in both} == {("E1", release.id), ("E2", release.id)}


def with_pins(change: RegistryTransaction) -> None:
    """Three rooms that ask for a PIN, each with a door of its name."""
    change.rooms.set("vault", RoomRules(needs_pin=True))
    for number, room in enumerate(("lab", "store")):
        address = f"osdp+tcp://127.0.0.1:4002/{number}"
        change.rooms.add(room, level=Level.SECRET, domain="state", rules=RoomRules(needs_pin=True))
        change.doors.add(room, room, protocol="osdp", readers=[(address, "in")], strike=address)
        grant(change, "E1", room)
    change.pins.set("E1", "471192")


def enters(site: Kit, door: str, pin: str) -> bool:
    before = len(site.sent)
    site.swipe("E1", door=door)
    site.rooms.heard(door, KeyPress(door, "in", f"{pin}#", secure=True))
    return any(isinstance(frame, Release) for frame in site.sent[before:])


def test_whoever_tries_pins_with_one_badge_room_by_room_is_stopped_and_told_also_after_a_death() -> None:
    with kit(with_pins) as site:
        for door in ("vault", "lab", "store"):
            assert not enters(site, door, "000000")
        [alarm] = site.building.reader.open_alarms()
        assert (alarm.kind, alarm.room, alarm.person) == ("guessing", "store", "E1")
        site.crash()
        for door in ("vault", "lab", "store"):
            assert not enters(site, door, "471192")
        site.ahead += timedelta(seconds=300)
        assert enters(site, "vault", "471192")


def test_the_right_pin_in_one_room_ends_the_count_in_all() -> None:
    with kit(with_pins) as site:
        for door in ("vault", "lab"):
            assert not enters(site, door, "000000")
        assert enters(site, "store", "471192")
        for door in ("vault", "lab"):
            assert not enters(site, door, "000000")
        assert enters(site, "store", "471192")
        assert site.building.reader.open_alarms() == ()


# --- power cuts, kills, full disks --------------------------------------------------------------------------------


def test_a_death_between_decision_and_strike_is_settled_as_unknown_at_the_next_start(site: Kit) -> None:
    [release] = site.swipe("E1")
    site.crash()
    site.rooms.heard("vault", Contact("vault", open=False))
    [entry] = site.entries(kind="door-released")
    assert (entry["release"], entry["released"]) == (release.id, "unknown")
    assert site.entries(kind="door")[0]["released"] == "?"


def test_a_door_found_open_after_the_restart_settles_the_release_as_used(site: Kit) -> None:
    [release] = site.swipe("E1")
    site.crash()
    site.rooms.answered(Released(release.id, ok=True))
    site.rooms.heard("vault", Contact("vault", open=True))
    assert site.entries(kind="door-released")[0]["released"] == "used"


def test_occupancy_alarms_and_release_numbers_survive_a_death(site: Kit) -> None:
    site.enter("E1")
    [before] = site.swipe("E2")
    site.crash()
    assert site.rooms.inside("E1") == ["vault"]
    [after] = site.swipe("E3")
    assert after.id != before.id


def test_an_act_committed_just_before_a_death_is_taken_over_at_the_start(site: Kit) -> None:
    site.enter("E1")
    with site.registry.change(site.now()) as change:  # nobody told the rooms
        change.presence.leave("vault", "E1")
    site.crash()
    assert site.rooms.inside("E1") == []


def test_a_decider_that_comes_back_in_time_lets_the_badge_in(site: Kit) -> None:
    site.kill_decider()
    site.restart_decider_in(0.2)
    assert len(site.swipe("E1")) == 1


@contextmanager
def small_log(site: Kit) -> Iterator[None]:
    """The log of *site* on a disk that is full."""
    site.kill_decider()
    shutil.rmtree(site.home.log)
    with memory_mounted(site.home.log, "64k"):
        site.restart_decider()
        site.entries()
        try:
            (site.home.log / "filler").write_bytes(b"x" * (40 << 10))
            for length in (500, 1):
                with suppress(RefusedError):
                    while True:
                        site.recorder.entry({"kind": "filler", "x": "x" * length})
            yield
            site.entries()
        finally:
            site.kill_decider()


@needs.root
def test_a_full_log_lets_nobody_in_everybody_out_and_owns_up_later() -> None:
    with kit() as site, small_log(site):
        assert site.swipe("E1") == []
        assert [row.kind for row in site.building.reader.open_alarms()] == ["unrecorded"]
        assert len(site.swipe("E1", side="out")) == 1
        site.rooms.heard("vault", RequestToExit("vault"))
        assert isinstance(site.sent[-1], Release)
        (site.home.log / "filler").unlink()
        assert len(site.swipe("E2")) == 1
        [gap] = site.entries(kind="gap")
        assert gap["count"] >= 2
        assert site.entries(kind="door", person="E1") == []


def test_a_registry_that_takes_nothing_lets_nobody_in_and_everybody_out(site: Kit) -> None:
    site.registry._connection.execute("PRAGMA query_only = ON")  # noqa: SLF001 - a disk that takes nothing
    assert site.swipe("E1") == []
    assert len(site.swipe("E1", side="out")) == 1
    site.registry._connection.execute("PRAGMA query_only = OFF")  # noqa: SLF001 - and one that does again
    site.rooms.tick()
    assert len(site.swipe("E2")) == 1


def test_a_registry_that_somebody_else_holds_keeps_nobody_in(site: Kit) -> None:
    seen: list[bool] = []
    send = site.send
    held = threading.Event()

    def hold() -> None:
        with site.registry.change(site.now()):
            held.set()
            done.wait(30)

    done = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    site.send = lambda frame: (seen.append(done.is_set()), done.set(), send(frame))[2]  # type: ignore[assignment]
    assert len(site.swipe("E1", side="out")) == 1
    holder.join()
    assert seen[0] is False


def test_a_doors_process_that_is_gone_settles_the_release_as_failed(site: Kit) -> None:
    site.deaf = True
    site.swipe("E1")
    [entry] = site.entries(kind="door-released")
    assert entry["released"] == "failed"
    assert site.building.reader.presence() == ()


def test_a_damaged_registry_is_fatal_and_still_opens_the_way_out(site: Kit) -> None:
    other = site.home.root / "other.db"
    other.write_bytes(site.home.registry.read_bytes())
    other.replace(site.home.registry)
    with pytest.raises(FatalError):
        site.building.moved()
    assert len(site.swipe("E1", side="out")) == 1


def test_a_pack_that_cannot_be_read_denies(site: Kit) -> None:
    site.home.pack.write_text("not a pack")
    assert site.swipe("E1") == []
    assert site.entries(kind="door")[0]["rule"] == "error"
    assert len(site.swipe("E1", side="out")) == 1


def test_a_badge_read_does_not_move_the_epoch(site: Kit) -> None:
    before = site.building.epoch
    site.enter("E1")
    assert not site.building.moved()
    assert site.building.epoch == before


def test_a_door_held_open_is_an_alarm_until_somebody_has_seen_it_and_it_is_closed(site: Kit) -> None:
    site.enter("E1")
    site.rooms.heard("vault", Contact("vault", open=True))
    site.ahead += timedelta(seconds=60)
    site.rooms.tick()
    kinds = {row.kind: row.id for row in site.building.reader.open_alarms()}
    assert set(kinds) == {"held"}
    with site.officer() as change:
        change.alarms.acknowledge(kinds["held"], by="officer", note="seen")
    assert site.building.reader.open_alarms() == ()
