"""The doors process from outside: who it is, what it does for control, and that it ends with control."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.doors.frames import (
    BoardBadge,
    Cards,
    CardStates,
    Commission,
    Configure,
    DoorSetup,
    Heard,
    Keyed,
    Ping,
    Pong,
    ReaderSetup,
    StrikeSetup,
    Sweep,
    Swept,
    Trouble,
)
from agent.doors.messages import Contact, Flush, Online, OwnDecision, Read, Refuse, Release, Released
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from agent.simulator.osdp_reader import ReaderLine
from agent.simulator.osdp_reader import SoftwareReader as OsdpReader
from tests import needs
from tests.doors.kit import UNUSED, Control, boards, doors_process
from tests.sentences import en

CARD = 4660


@contextmanager
def osdp() -> Iterator[tuple[OsdpReader, str]]:
    reader = OsdpReader(key=secrets.token_bytes(16))
    with ReaderLine([reader]):
        yield reader, reader.address


def door(name: str, address: str, *, sides: tuple[str, ...] = ("in",)) -> DoorSetup:
    return DoorSetup(name, tuple(ReaderSetup(side, address) for side in sides), StrikeSetup(address))  # type: ignore[arg-type]


def configured(control: Control, *doors: DoorSetup, keys: dict[str, bytes] | None = None) -> None:
    given = {address: (key.hex(),) for address, key in (keys or {}).items()}
    control.send(Configure(doors, given, "127.0.0.1:0"))


def status(control: Control) -> dict[str, str]:
    lines = Path(f"/proc/{control.process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


@needs.root
def test_it_is_nobody_who_may_do_anything() -> None:
    with doors_process() as control:
        control.send(Ping("p"))
        control.hear(Pong)
        found = status(control)
        assert found["Uid"].split() == [str(UNUSED)] * 4
        assert found["Gid"].split() == [str(UNUSED)] * 4
        assert found["Groups"] == ""
        for capabilities in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(found[capabilities], 16) == 0
        assert found["NoNewPrivs"] == "1"


def test_nobody_of_its_account_looks_into_its_memory() -> None:
    dumpable = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    code = f"from agent.doors.privileges import seal; seal(print); {dumpable}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"0\n"


@needs.root
def test_as_root_it_does_not_run() -> None:
    for words in ([], ["uid=0", "gid=0"], [f"uid={UNUSED}", "gid=0"], [f"uid={UNUSED}", f"gid={UNUSED}", "groups=0"]):
        with doors_process(*words, uid=None) as control:
            assert control.process.wait(30) == 2
            assert control.process.stderr
            assert b"never root" in control.process.stderr.read()


def test_started_by_hand_it_says_who_starts_it() -> None:
    done = subprocess.run([sys.executable, "-I", "-m", "agent.doors"], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"shoumi run" in done.stderr


def test_a_badge_at_a_board_becomes_a_read_and_release_opens() -> None:
    with boards(11, 12) as (loop, made), doors_process() as control:
        configured(control, *(door(f"d{b.serial}", f"{b.line}/1", sides=("in", "out")) for b in made))
        control.hear(Contact, many=2)
        control.send(Cards("c", put=(BoardBadge(CARD, "2099-12-31"),)))
        control.hear(CardStates, lambda said: said.confirmed == (CARD,), many=2)
        loop.call(lambda: made[1].swipe(1, CARD))
        read = control.hear(Read)
        assert (read.door, read.side, read.card, read.secure, read.stale) == ("d12", "in", CARD, True, False)
        control.send(Release("r1", "d12", "in", 60))
        assert control.hear(Released).ok
        assert made[1].unlocked(1)
        assert not made[0].unlocked(1)
        control.hear(Heard, lambda said: (said.board, said.index) == (12, 2))
        assert len(control.of(Read)) == 1
        control.send(Sweep("s"))
        control.hear(Swept, lambda said: said.ok, many=2)


def test_a_badge_at_a_reader_becomes_a_read_and_release_opens_with_a_green_light() -> None:
    with osdp() as (reader, address), doors_process() as control:
        assert reader.key
        configured(control, door("vault", address), keys={address: reader.key})
        control.hear(Online, lambda said: said.online and said.secure)
        control.hear(Contact)
        while True:  # what comes within two seconds of the channel is old
            reader.swipe(CARD)
            read = control.hear(Read, many=len(control.of(Read)) + 1)
            if not read.stale:
                break
            time.sleep(0.2)  # nobody shows a card a hundred times a second, and whoever does is not heard
        assert (read.door, read.card, read.secure) == ("vault", CARD, True)
        control.send(Release("r1", "vault", "in", 20))
        assert control.hear(Released, lambda said: said.id == "r1").ok
        assert reader.unlocked()
        control.send(Refuse("vault", "in"))
        assert reader.wait(lambda heard: {"green", "red"} <= {told.colour for told in heard if told.kind == "light"})


def test_every_release_is_answered_also_for_doors_that_are_not_there() -> None:
    with boards(11) as (loop, made), osdp() as (reader, address), doors_process() as control:
        assert reader.key
        loop.call(lambda: setattr(made[0].faults, "dead", True))
        reader.offline()
        configured(control, door("b", f"{made[0].line}/1"), door("o", address), keys={address: reader.key})
        for number, name in enumerate(("b", "o", "nowhere")):
            control.send(Release(f"r{number}", name, "in", 3))
        for number in range(3):
            said = control.hear(Released, lambda said, number=number: said.id == f"r{number}")
            assert not said.ok
            assert said.why


def test_a_flush_withdraws_an_opening_that_is_under_way() -> None:
    with boards(11) as (loop, made), doors_process() as control:
        configured(control, door("b", f"{made[0].line}/1"))
        control.hear(Contact)
        loop.call(lambda: setattr(made[0].faults, "dead", True))
        control.send(Release("r1", "b", "in", 5))
        control.send(Flush("b"))
        said = control.hear(Released)
        assert said.why
        assert not said.ok
        assert "withdrawn" in en(said.why)


def test_a_door_that_makes_no_sense_takes_no_other_door_with_it() -> None:
    with boards(11) as (_loop, made), doors_process() as control:
        line = made[0].line
        wrong = (
            door("typo", "osdp+tcp://host/1"),
            door("taken", f"{line}/1"),
            door("moved", line.replace("127.0.0.1", "127.0.0.2") + "/2"),
            door("twice", f"{line}/3", sides=("in", "in")),
            door("good", f"{line}/4"),
        )
        configured(control, door("good", f"{line}/1"), *wrong, door("keyless", "osdp+tcp://127.0.0.1:9/1"))
        online = control.hear(Contact)
        assert online.door == "good"
        assert {said.door for said in control.of(Trouble)} == {"typo", "taken", "moved", "twice", "good", "keyless"}


def test_commissioning_gives_a_reader_its_key_and_a_wrong_address_is_answered() -> None:
    reader = OsdpReader(key=None)
    with ReaderLine([reader]), doors_process() as control:
        key = secrets.token_bytes(16)
        control.send(Configure(()))
        control.send(Commission("k1", reader.address, key.hex()))
        assert control.hear(Keyed, lambda said: said.id == "k1").ok
        assert reader.key == key
        control.send(Commission("k2", "uhppote://127.0.0.1:1/1/1", key.hex()))
        assert not control.hear(Keyed, lambda said: said.id == "k2").ok


def test_it_ends_when_control_is_gone_however_it_went() -> None:
    with doors_process() as control:
        control.send(Ping("p"))
        control.hear(Pong)
        os.close(control.life)
        control.life = -1
        assert control.process.wait(30) == 0
    with doors_process() as control:
        control.send(Ping("p"))
        control.hear(Pong)
        control.link.close()
        assert control.process.wait(30) == 0
    with doors_process() as control:
        control.send(Ping("p"))
        control.hear(Pong)
        control.process.terminate()
        assert control.process.wait(30) == 0


@pytest.mark.parametrize("frame", [b"", b"{", b"[]", b'{"do":"release","id":"1"}', b'{"do":"fly"}', b"x" * 250_000])
def test_a_frame_that_is_none_ends_it(frame: bytes) -> None:
    with doors_process() as control:
        control.end.send(frame or b"\0")
        assert control.process.wait(30) == 1
        assert control.process.stderr
        assert b"invalid frame" in control.process.stderr.read()


def test_nothing_is_lost_silently_when_control_does_not_listen() -> None:
    with boards(11) as (loop, made), doors_process() as control:
        configured(control, door("b", f"{made[0].line}/1"))
        control.hear(Contact)
        control.send(Cards("c", put=(BoardBadge(CARD, "2099-12-31"),)))
        control.hear(CardStates, lambda said: said.confirmed)
        for _ in range(150):
            loop.call(lambda: made[0].swipe(1, CARD))
        control.hear(Heard, lambda said: said.index == 150)
        assert [read.index for read in control.of(Read)] == list(range(1, 151))


def test_a_board_with_much_to_tell_is_held_to_what_control_believes_of_the_doors_there_are() -> None:
    with boards(11) as (loop, made), doors_process() as control:
        for number in range(260):
            loop.call(lambda number=number: made[0].swipe(1, 100 + number))  # type: ignore[misc]
        began = time.monotonic()
        control.send(Configure((door("d11", f"{made[0].line}/1"),), {}, "127.0.0.1:0", {"11": 0}))
        control.hear(OwnDecision, many=260)
        believed = FRAMES + FRAMES_PER_DOOR
        assert len(control.frames) <= believed * (3.0 + 0.5 * (time.monotonic() - began)) + 10


def test_keys_are_nowhere_but_in_its_memory() -> None:
    with osdp() as (reader, address), doors_process() as control:
        assert reader.key
        configured(control, door("vault", address), keys={address: reader.key})
        control.hear(Online, lambda said: said.secure)
        for place in ("cmdline", "environ"):
            data = Path(f"/proc/{control.process.pid}/{place}").read_bytes()
            assert reader.key not in data
            assert reader.key.hex().encode() not in data
        assert reader.key.hex() not in repr(control.frames)
