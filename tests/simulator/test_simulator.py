"""The simulator as the demo uses it: devices over the wire, hands over a socket, and the doors process between them."""

import gc
import os
import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.doors import codec
from agent.doors.frames import BoardBadge, Cards, CardStates, Configure, DoorSetup, ReaderSetup, StrikeSetup
from agent.doors.messages import (
    Contact,
    KeyPress,
    Online,
    OwnDecision,
    Power,
    Read,
    Refuse,
    Release,
    Released,
    RequestToExit,
    Tamper,
)
from agent.errors import RefusedError, UnreachableError, UsageError
from agent.simulator.client import Running, command, start
from agent.simulator.site import Description, SimulatedBoard, SimulatedReader, SimulatedSite, described
from rules.text import Message, Text
from tests import needs
from tests.doors.kit import Control, doors_process
from tests.sentences import en, zh

CARD = 4660
KEYS = [secrets.token_hex(16) for _ in range(3)]
TWO = {
    "readers": [
        {"door": "vault", "side": "in", "number": 1, "key": KEYS[0], "line": "bus"},
        {"door": "vault", "side": "out", "number": 2, "key": KEYS[1], "line": "bus", "wired": False},
    ],
    "boards": [{"serial": 405419896, "doors": {"1": "store", "2": "yard"}}],
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(TWO, tmp_path_factory.mktemp("shared") / "sim.sock") as running:
        yield running


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Running]:
    with start(TWO, tmp_path / "sim.sock") as running:
        yield running


def served(control: Control, running: Running) -> None:
    vault = {side: seen["address"] for side, seen in running.doors["vault"]["readers"].items()}
    doors = [DoorSetup("vault", tuple(ReaderSetup(side, at) for side, at in vault.items()), StrikeSetup(vault["in"]))]  # type: ignore[arg-type]
    for name in ("store", "yard"):
        at = running.doors[name]["address"]
        doors.append(DoorSetup(name, (ReaderSetup("in", at),), StrikeSetup(at)))
    keys = {vault["in"]: (KEYS[0],), vault["out"]: (KEYS[1],)}
    control.send(Configure(tuple(doors), keys, "127.0.0.1:0"))
    for name in ("vault", "store", "yard"):
        control.hear(Contact, lambda said, name=name: said.door == name)
    control.hear(Online, lambda said: said.online and said.secure, many=2)
    control.send(Cards("c", put=(BoardBadge(CARD, "2099-12-31"),)))
    control.hear(CardStates, lambda said: said.confirmed)


def test_a_person_at_a_simulated_reader_gets_in_over_the_real_protocol(simulator: Running) -> None:
    with doors_process() as control:
        served(control, simulator)
        simulator.do("swipe", door="vault", side="out", card=CARD, facility=7)
        read = control.hear(Read)
        assert (read.door, read.side, read.card, read.facility, read.bits) == ("vault", "out", CARD, 7, 26)
        control.send(Release("r1", "vault", "in", 20))  # it is looked at later whether it is unlocked
        assert simulator.do("opened", door="vault")["opened"]
        assert control.hear(Released).ok
        control.send(Refuse("vault", "in", Message("common.given", text=Text("no entry", "禁止进入"))))
        while simulator.do("state")["doors"]["vault"]["readers"]["in"]["text"] != "no entry":
            pass
        state = simulator.do("state")["doors"]["vault"]
        assert state["unlocked"]
        assert state["readers"]["in"]["light"] == "red"


def test_a_person_at_a_simulated_board_gets_in_over_the_real_protocol(simulator: Running) -> None:
    with doors_process() as control:
        served(control, simulator)
        assert simulator.do("state")["doors"]["store"]["cards"] == [CARD]
        simulator.do("swipe", door="yard", side="in", card=CARD)
        assert control.hear(Read).door == "yard"
        control.send(Release("r1", "yard", "in", 60))
        assert simulator.do("opened", door="yard")["opened"]
        state = simulator.do("state")["doors"]
        assert state["yard"]["unlocked"]
        assert state["yard"]["under_control"]
        assert not state["store"]["unlocked"]


def test_hands_and_cables_reach_the_agent(simulator: Running) -> None:
    with doors_process() as control:
        served(control, simulator)
        _past_the_first_seconds(control, simulator)
        simulator.do("key", door="vault", side="in", digits="12#")
        control.hear(KeyPress, lambda said: "12#".endswith(said.digits))
        simulator.do("tamper", door="vault", side="in")
        control.hear(Tamper, lambda said: said.active)
        simulator.do("power", door="vault")
        control.hear(Power, lambda said: said.failed and said.door == "vault")
        for door in ("vault", "store"):
            simulator.do("rex", door=door)
            control.hear(RequestToExit, lambda said, door=door: said.door == door)
            simulator.do("force", door=door)
            control.hear(Contact, lambda said, door=door: said.door == door and said.open)
            simulator.do("contact", door=door, open=False)
        simulator.do("hold", door="store")
        control.hear(OwnDecision, lambda said: said.reason == 37)
        assert [said.reason for said in control.of(OwnDecision)] == [38, 37]
        simulator.do("offline", door="store")
        control.send(Release("r1", "store", "in", 5))
        assert not control.hear(Released).ok


def test_the_socket_is_its_owners_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "sim.sock"
    with start(TWO, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        arguments = [_words(Path("/proc", pid)) for pid in os.listdir("/proc") if pid.isdigit()]
        assert any(str(path).encode() in line for line in arguments)
        assert not [line for line in arguments if KEYS[0].encode() in line]
    assert not path.exists()
    with pytest.raises(UnreachableError):
        command(path, "state")


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    running = start(TWO, tmp_path / "sim.sock")
    assert running.process.stdin
    running.process.stdin.close()
    assert running.process.wait(30) == 0
    running.process.stdin = None
    running.stop()


def test_stop_over_the_socket_ends_it(simulator: Running) -> None:
    simulator.do("stop")
    assert simulator.process.wait(30) == 0


@pytest.mark.parametrize(
    ("word", "members", "error"),
    [
        ("swipe", {"door": "nowhere"}, RefusedError),
        ("swipe", {"door": "vault", "card": -1}, UsageError),
        ("swipe", {"door": "vault", "sides": "in"}, UsageError),
        ("fly", {}, UsageError),
        ("key", {"door": "store", "digits": "1"}, RefusedError),
        ("swipe", {"door": "vault", "side": "up"}, UsageError),
    ],
)
def test_what_cannot_be_done_is_refused(
    shared: Running, word: str, members: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        shared.do(word, **members)
    assert shared.do("state")["doors"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"boards": [{"serial": 1, "doors": {"1": "a"}, "host": "0.0.0.0"}]}, "loopback only"),
        ({"boards": [{"serial": 1, "doors": {"1": "a", "2": "a"}}]}, "described twice"),
        ({"readers": [{"door": "a", "side": "in"}, {"door": "a", "side": "in"}]}, "described twice"),
        ({"boards": [{"serial": 1, "doors": {"5": "a"}}]}, "Invalid enum value"),
        (
            {"readers": [{"door": "a", "side": "in", "pty": True, "device": "/dev/ttyS9"}]},
            "not a simulated serial port",
        ),
        ({"cats": []}, "unknown"),
        ({"boards": [{"serial": 1, "doors": {"1": "a"}, "port": 1, "host": "127.0.0.1"}] * 2}, "described twice"),
    ],
)
def test_a_description_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        start(wrong, tmp_path / "sim.sock")


def test_what_was_made_before_a_wrong_device_is_let_go_of() -> None:
    twice = SimulatedReader("a", "in")
    with pytest.raises(RefusedError, match=r"simulator.door-duplicate"):
        SimulatedSite(Description((twice, twice)))
    gc.collect()  # a socket that nobody closed fails the test here


def test_a_pseudo_terminal_takes_the_place_of_a_serial_port(tmp_path: Path) -> None:
    key = secrets.token_hex(16)
    description = {"readers": [{"door": "gate", "side": "in", "key": key, "pty": True}]}
    with start(description, tmp_path / "sim.sock") as running:
        address = running.doors["gate"]["readers"]["in"]["address"]
        assert address.startswith("osdp+serial:///dev/pts/")
        os.chmod(address[14:].partition("?")[0], 0o666)
        with doors_process() as control:
            door = DoorSetup("gate", (ReaderSetup("in", address),), StrikeSetup(address))
            control.send(Configure((door,), {address: (key,)}))
            control.hear(Online, lambda said: said.online and said.secure)
            running.do("swipe", door="gate", card=CARD)
            assert control.hear(Read).card == CARD


def test_a_configuration_of_the_agent_describes_the_devices_it_expects() -> None:
    at = "osdp+tcp://127.0.0.1:4001/"
    board = "uhppote://127.0.0.1:60000/405419896/"
    asked = Configure(
        (
            DoorSetup("vault", (ReaderSetup("in", at + "1"), ReaderSetup("out", at + "2")), StrikeSetup(at + "1")),
            DoorSetup(
                "store", (ReaderSetup("in", board + "1"), ReaderSetup("out", board + "1")), StrikeSetup(board + "1")
            ),
        ),
        {at + "1": (KEYS[0],)},
    )
    line = at[:-1]
    assert described(asked)[0] == Description(
        (
            SimulatedReader("vault", "in", 1, KEYS[0], True, line, "127.0.0.1", 4001),
            SimulatedReader("vault", "out", 2, None, False, line, "127.0.0.1", 4001),
        ),
        (SimulatedBoard(405419896, {"1": "store"}, "127.0.0.1", 60000),),
    )
    assert codec.decoder(Description)(codec.encode(described(asked)[0])) == described(asked)[0]


def test_a_door_that_is_not_on_loopback_or_a_simulated_port_is_left_out_and_named() -> None:
    here, port = "osdp+tcp://127.0.0.1:4001/1", "osdp+serial:///dev/shoumi-1?baud=9600#1"
    far = {
        "gate": "osdp+serial:///dev/ttyS0?baud=9600#1",
        "yard": "osdp+tcp://10.9.0.20:4001/1",
        "store": "uhppote://10.9.0.10:60000/405419896/1",
        "dive": "osdp+serial:///dev/shoumi-1/x?baud=9600#1",
    }
    doors = [
        DoorSetup(name, (ReaderSetup("in", at),), StrikeSetup(at))
        for name, at in {"vault": here, "cellar": port, **far}.items()
    ]
    half = DoorSetup("half", (ReaderSetup("in", "osdp+tcp://127.0.0.1:4002/1"),), StrikeSetup(far["yard"]))
    found, left_out = described(Configure((*doors, half)))
    assert [(one.door, one.device) for one in found.readers] == [("vault", ""), ("cellar", "/dev/shoumi-1")]
    assert found.boards == ()
    assert [one.door for one in left_out] == [*far, "half"]
    assert all(at in en(one.why) and at in zh(one.why) for one, at in zip(left_out, far.values(), strict=False))


@needs.root
def test_a_serial_port_that_no_hardware_has_is_simulated_under_its_name(tmp_path: Path) -> None:
    device = Path(f"/dev/shoumi-test-{os.getpid()}")
    address, key = f"osdp+serial://{device}?baud=9600#1", secrets.token_hex(16)
    asked = Configure((DoorSetup("gate", (ReaderSetup("in", address),), StrikeSetup(address)),), {address: (key,)})
    device.symlink_to("/dev/null")  # what a killed simulator leaves
    with start(msgspec.to_builtins(described(asked)[0]), tmp_path / "sim.sock") as running, doors_process() as control:
        assert running.doors["gate"]["readers"]["in"]["address"] == address
        control.send(asked)
        control.hear(Online, lambda said: said.online and said.secure)
        running.do("swipe", door="gate", card=CARD)
        assert control.hear(Read).card == CARD
    assert not device.is_symlink()
    device.touch()
    try:
        with pytest.raises(RefusedError, match=r"the port `.*` cannot be created"):
            start(msgspec.to_builtins(described(asked)[0]), tmp_path / "sim.sock")
        assert device.is_file()
    finally:
        device.unlink()


def test_garbage_on_stdin_ends_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "agent.simulator.__main__", str(tmp_path / "s")],
        input=b"{",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 2


def _past_the_first_seconds(control: Control, simulator: Running) -> None:
    """What a reader says within two seconds of its channel may be old, and is told as that."""
    while True:
        simulator.do("swipe", door="vault", card=CARD)
        if not control.hear(Read, many=len(control.of(Read)) + 1).stale:
            return
        time.sleep(0.2)  # nobody shows a card a hundred times a second, and whoever does is not heard


def _words(process: Path) -> bytes:
    """Return the command line of *process*; of one that ends meanwhile, nothing."""
    with suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""
