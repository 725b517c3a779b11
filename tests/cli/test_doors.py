"""A door from the command line: registered, wired to software, given its key, released, and said so truthfully."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.control.site import Site

Shoumi = Callable[..., Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def door(site: Site, shoumi: Shoumi) -> Iterator[str]:
    """A door of a room, with a simulated reader in install mode behind it."""
    address = f"osdp+tcp://127.0.0.1:{free_port()}/1"
    assert shoumi("room", "add", "vault", "--level", "secret", "--domain", "state").code == 0
    added = shoumi("door", "add", "d1", "--room", "vault", "--reader", address, "--contact", "yes", "--seconds", "2")
    assert added.code == 0
    assert "shoumi door commission d1" in added.out
    far = shoumi("door", "add", "d2", "--room", "vault", "--reader", "osdp+tcp://192.0.2.1:4001/1")
    assert far.code == 0
    argv = [sys.executable, "-m", "agent.cli", "--home", str(site.home.root), "door", "simulate", "--serve"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout
        assert simulator.stderr
        assert "NOT SIMULATED: `d2`: `osdp+tcp://192.0.2.1:4001/1`" in simulator.stderr.readline()
        assert address in simulator.stdout.readline()
        try:
            yield "d1"
        finally:
            simulator.send_signal(signal.SIGINT)
            try:
                assert simulator.wait(30) == 0
            finally:
                simulator.kill()  # else the block would wait for it for ever


def online(shoumi: Shoumi, door: str) -> None:
    """Wait until every reader of the door answers over its secure channel."""
    deadline = time.monotonic() + 40
    while shoumi("door", "test", door).code:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.long
def test_a_door_that_cannot_be_reached_says_what_is_wrong_and_what_to_do(site: Site, shoumi: Shoumi) -> None:
    address, out = (f"osdp+tcp://127.0.0.1:{free_port()}/{number}" for number in (1, 2))
    assert shoumi("room", "add", "cellar", "--level", "secret", "--domain", "state").code == 0
    assert shoumi("door", "add", "d7", "--room", "cellar", "--reader", address, "--exit-reader", out).code == 0
    keyless = shoumi("door", "test", "d7")
    assert keyless.code == 1
    assert keyless.out.count("the reader has no key yet") == 2
    assert "hint: put the reader into install mode and, on a bench, run: shoumi door commission d7\n" in keyless.err
    assert "shoumi door commission d7 --side out\n" in keyless.err
    assert "尚无密钥" in shoumi("door", "test", "d7", language="zh").out
    assert shoumi("door", "commission", "d7").code == 1  # nothing is there
    deadline = time.monotonic() + 40
    while "the reader has no key yet" in (silent := shoumi("door", "test", "d7")).out.splitlines()[1]:
        assert time.monotonic() < deadline
    assert " -" not in silent.out.splitlines()[1]
    assert "check its power, its line and its address" in silent.err
    assert shoumi("door", "remove", "d7").code == 0


def test_a_reader_gets_its_key_and_the_lock_answers(shoumi: Shoumi, door: str) -> None:
    early = shoumi("door", "open", door, "--reason", "too early")
    assert early.code == 1  # the lock does not answer to whoever has no key
    assert "`d1`" in early.err

    keyed = shoumi("door", "commission", door)
    assert (keyed.code, keyed.err) == (0, "")
    online(shoumi, door)
    assert shoumi("door", "open", door, "--reason", "a delivery").out == "`d1` released\n"
    seen = shoumi("door", "simulate", door, "state")
    assert seen.code == 0
    assert "releases: 1" in seen.out
    assert "是" in shoumi("door", "test", door, language="zh").out

    other = shoumi("door", "rotate-key", door)
    assert other.code == 0
    assert other.out != keyed.out
    assert shoumi("door", "commission", door, "--side", "out").code == 1  # there is no reader on that side
    assert shoumi("door", "simulate", door, "swipe").code == 2
    assert shoumi("door", "simulate", "d9", "rex").code == 1


def test_without_a_simulator_nothing_is_pretended(shoumi: Shoumi) -> None:
    assert shoumi("door", "simulate", "d1", "rex").code == 4
    assert shoumi("door", "simulate", "d1").code == 2
    assert shoumi("door", "simulate", "d1", "dance").code == 2
    assert shoumi("door", "simulate", "--serve").code == 1  # no door is registered


def test_a_site_whose_doors_are_all_elsewhere_is_not_simulated(shoumi: Shoumi) -> None:
    assert shoumi("room", "add", "yard", "--level", "secret", "--domain", "state").code == 0
    assert shoumi("door", "add", "d8", "--room", "yard", "--reader", "osdp+tcp://192.0.2.1:4001/1").code == 0
    refused = shoumi("door", "simulate", "--serve")
    assert refused.code == 1
    assert "192.0.2.1" in refused.err
    assert "hint" in refused.err
