"""A room behind two OSDP readers, from end to end: real processes, real Secure Channels, the real log."""

import ctypes
import os
import re
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.errors import RefusedError
from tests.rooms.kit import PATIENCE, House, house, until
from tests.sentences import en
from tests.stopped import stopped

PIDFD_GETFD = 438  # pidfd_getfd(2); the same on every architecture


@pytest.fixture(scope="module")
def home() -> Iterator[House]:
    with house() as made:
        yield made


def test_a_forced_door_is_an_alarm_until_somebody_has_seen_it(home: House) -> None:
    home.outside.contact(open=True)
    until(lambda: "forced" in home.alarms(), "the alarm")
    home.outside.contact(open=False)
    [number] = [row["id"] for row in home.client.stream("alarm.list", room="vault") if row["kind"] == "forced"]
    home.call("alarm.ack", alarm=number, note="wind")
    assert "forced" not in home.alarms()


def test_a_badge_opens_with_its_entry_and_the_way_out_empties_the_room(home: House) -> None:
    home.through("E1")
    entry = home.site.entries(kind="door", person="E1")[-1]
    assert (entry["verdict"], entry["secure"], entry["door"]) == ("allow", True, "vault")
    home.through("E1", out=True)
    assert home.occupants() == []


def test_a_room_is_not_removed_around_whoever_is_inside(home: House) -> None:
    home.through("E1")
    with pytest.raises(RefusedError, match=r"control.people-may-be-inside") as caught:
        home.call("room.remove", room="vault")
    assert caught.value.hint
    assert home.occupants() == ["E1"]
    home.through("E1", out=True)


def test_an_unknown_badge_sees_red_and_leaves_an_entry(home: House) -> None:
    assert not home.lets("4242")
    until(lambda: home.site.entries(kind="door", badge="4242", verdict="deny"), "the entry")


def test_the_doors_process_has_no_rights_and_its_environment_says_nothing(home: House) -> None:
    pid = home.doors_process()
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert 0 not in map(int, status["Uid"].split())
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    keys = home.site.home.root / "doors.keys"
    words = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    assert str(home.site.home.root).encode() not in words
    assert not any(key.encode() in words for key in re.findall(r"[0-9a-f]{32}", keys.read_text()))
    assert keys.stat().st_mode & 0o077 == 0


def test_a_hold_kills_the_badge_while_its_owner_is_inside_and_lets_him_out(home: House) -> None:
    home.through("E2")
    home.call("hold.add", person="E2", reason="test")
    until(lambda: "stopped-inside" in home.alarms(), "the alarm")
    assert not home.lets("E2")
    home.through("E2", out=True)


def test_a_lockdown_lets_nobody_in_and_everybody_out(home: House) -> None:
    home.call("lockdown.on", reason="test")
    try:
        assert not home.lets("E3")
        until(lambda: home.site.entries(kind="door", person="E3", rule="lockdown"), "the entry")
        assert home.lets("E3", home.inside)
    finally:
        home.call("lockdown.off", reason="test")


def test_a_key_is_changed_over_the_channel_and_the_door_goes_on(home: House) -> None:
    before = home.call("door.test", door="vault")["readers"][0]["key"]
    ticket = home.call("door.rotate-key", door="vault", side="in")["ticket"]
    assert home.call("door.outcome", ticket=ticket)["ok"]
    home.fresh()
    assert home.call("door.test", door="vault")["readers"][0]["key"] != before
    home.through("E3")
    home.through("E3", out=True)


# --- deaths -------------------------------------------------------------------------------------------------------


def test_a_killed_doors_process_comes_back_and_who_is_inside_stays_inside(home: House) -> None:
    home.through("E1")
    killed = home.doors_process()
    os.kill(killed, signal.SIGKILL)
    until(lambda: home.site.entries(kind="door-event", what="process-ended"), "the entry")
    home.fresh()
    assert home.doors_process() != killed
    assert home.occupants() == ["E1"]
    home.through("E1", out=True)


def test_a_stopped_decider_opens_nothing_but_the_way_out(home: House) -> None:
    with stopped(home.site.peer.pid):
        assert not home.lets("E3")
        assert home.lets("E1", home.inside)


def test_a_killed_control_process_takes_the_doors_process_with_it_and_the_next_one_settles_what_it_left(
    home: House,
) -> None:
    home.through("E1")
    orphan = os.pidfd_open(home.doors_process())
    assert home.lets("E3")
    release = [entry["release"] for entry in home.site.entries(kind="door") if entry.get("release")][-1]
    strikes = home.outside.times("strike")
    home.site.control.send_signal(signal.SIGKILL)
    home.site.control.wait(30)
    assert select.select([orphan], [], [], PATIENCE)[0]
    os.close(orphan)
    home.outside.swipe(home.badge("E1"))  # nobody is there to decide
    home.site.start_control()
    home.reconnect()
    home.fresh()
    [settled] = until(lambda: home.site.entries(kind="door-released", release=release), "the settlement")
    assert settled["released"] == "unknown"
    assert "E1" in home.occupants()
    assert home.outside.times("strike") == strikes
    home.through("E1", out=True)


@pytest.mark.long
def test_a_reader_that_goes_offline_in_mid_transaction_counts_as_not_released(home: House) -> None:
    home.call("occupancy.reset", room="vault", reason="test")
    before, known = home.outside.times("strike"), len(home.site.entries(kind="door"))
    with stopped(home.site.peer.pid):  # the entry waits, and so does the release
        home.outside.swipe(home.badge("E3"))
        time.sleep(0.3)
        home.outside.offline()
    [entry] = until(lambda: home.site.entries(kind="door")[known:], "the entry")
    settled = until(lambda: home.site.entries(kind="door-released", release=entry["release"]), "what became of it")
    assert settled[0]["released"] == "failed"
    assert home.outside.times("strike") == before
    assert home.occupants() == []
    home.outside.online()
    home.fresh()


# --- a doors process that was taken over --------------------------------------------------------------------------


def test_bytes_that_are_no_frame_end_the_doors_process_and_nothing_else(home: House) -> None:
    control, killed = home.site.control.pid, home.doors_process()
    for bad in (b"\xff", b'{"said":"contact","door":"vault","open":1}', b"x" * 70_000):
        with voice_of(killed) as voice:
            voice.send(bad)
        killed = until(lambda was=killed: other_than(home, was), "another doors process")
    assert home.site.control.pid == control
    assert home.site.control.poll() is None


def test_what_a_doors_process_makes_up_opens_nothing_and_changes_nobody(home: House) -> None:
    entries, inside = len(home.site.entries(kind="door")), home.occupants()
    talking = until(lambda: other_than(home, 0), "the doors process")
    with voice_of(talking) as voice:
        voice.send(b'{"said":"released","id":"vault/99999","ok":true}')
        voice.send(b'{"said":"read","door":"no such door","side":"in","card":3000,"at":0,"secure":true}')
        voice.send(b'{"said":"own-decision","door":"vault","card":3000,"granted":true,"reason":1}')
    until(lambda: "own-decision" in home.alarms(), "the alarm")
    assert (len(home.site.entries(kind="door")), home.occupants()) == (entries, inside)
    assert home.doors_process() == talking


def test_what_it_says_of_sides_boards_and_readers_it_has_not_is_told_and_changes_nothing(home: House) -> None:
    talking = until(lambda: other_than(home, 0), "the doors process")
    with voice_of(talking) as voice:
        voice.send(b'{"said":"swept","id":"s","board":77,"ok":true,"removed":[3000]}')
        voice.send(b'{"said":"heard","board":77,"index":5}')
    told = until(
        lambda: [e for e in home.site.entries(what="trouble") if "board 77" in en(e["reason"])][1:], "both troubles"
    )
    assert told
    assert not home.site.entries(what="cards-removed")
    assert home.doors_process() == talking


def test_words_that_were_dropped_raise_one_alarm_that_names_the_door_and_its_readers(home: House) -> None:
    with voice_of(until(lambda: other_than(home, 0), "the doors process")) as voice:
        for _ in range(3):
            voice.send(b'{"said":"lost","door":"vault","frames":40}')
    until(lambda: len(home.site.entries(what="frames-dropped")) >= 3, "the entries")
    [alarm] = [row for row in home.client.stream("alarm.list", room="vault") if row["kind"] == "flood"]
    assert (alarm["door"], alarm["room"]) == ("vault", "vault")
    assert home.outside.address in en(alarm["text"])
    assert home.inside.address in en(alarm["text"])
    home.call("alarm.ack", alarm=alarm["id"], note="seen")
    assert "flood" not in home.alarms()


def test_more_frames_than_doors_can_have_end_the_doors_process(home: House) -> None:
    killed = until(lambda: other_than(home, 0), "the doors process")
    with voice_of(killed) as voice, suppress(OSError):
        while other_than(home, killed) is None:
            for _ in range(100):
                voice.send(b'{"said":"pong","id":"x"}')
    until(lambda: other_than(home, killed), "another doors process")
    until(
        lambda: [
            e for e in home.site.entries(what="process-ended") if "message rate exceeds the limit" in en(e["reason"])
        ],
        "the entry",
    )
    home.fresh()
    home.through("E3")


@contextmanager
def voice_of(pid: int) -> Iterator[socket.socket]:
    """The doors process's own end of its link, as somebody has it who took the process over."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    number = next(int(word.partition("=")[2]) for word in words if word.startswith("channel="))
    process = os.pidfd_open(pid)
    taken = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, number, 0)
    os.close(process)
    assert taken >= 0, os.strerror(ctypes.get_errno())
    with socket.socket(fileno=taken) as voice:
        voice.setblocking(True)
        yield voice


def other_than(home: House, pid: int) -> int | None:
    with suppress(LookupError):
        found = home.doors_process()
        return found if found != pid else None
    return None
