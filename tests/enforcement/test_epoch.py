"""Rights change at once: when the command returns the very next open obeys, and so does a file that is open already."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from tests.enforcement.scene import BYSTANDER, CLEARED, TOO_LOW, Area, Scene, error_of, scene, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-epoch")]

Say = Callable[[object], None]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("drafts", level="internal"))) as made:
        yield made


def may(site: Scene, path: Path | None = None) -> bool:
    """Whether E1 gets the document open now; a wrong kind of refusal fails."""
    outcome = attempt(CLEARED, reading(path or site.plans / "doc.txt"))
    assert outcome.error in ("", "EPERM")
    return outcome.allowed


CHANGES = {
    "hold": (("hold", "add", "E1", "--reason", "x"), ("hold", "lift", "E1", "--reason", "x")),
    "grant": (("grant", "end", "E1", "plans", "--reason", "x"), ("grant", "add", "E1", "plans", "--reason", "x")),
    "level": (
        ("person", "set", "E1", "--level", "confidential", "--domain", "state"),
        ("person", "set", "E1", "--level", "secret", "--domain", "state"),
    ),
    "domain": (
        ("person", "set", "E1", "--level", "state=none", "--level", "commercial=top-secret"),
        ("person", "set", "E1", "--level", "state=secret"),
    ),
    "account": (("account", "remove", "E1", str(CLEARED.uid)), ("account", "add", "E1", str(CLEARED.uid))),
    "inactive": (("person", "set", "E1", "--inactive"), ("person", "set", "E1", "--active")),
    "area level": (("area", "set", "plans", "--level", "top-secret"), ("area", "set", "plans", "--level", "secret")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_open_after_the_command_obeys(site: Scene, change: str) -> None:
    take, give = CHANGES[change]
    assert may(site)
    site.site.shoumi(*take)
    assert not may(site)
    site.site.shoumi(*give)
    assert may(site)


def test_a_change_is_obeyed_though_thousands_of_opens_were_allowed_just_before(site: Scene) -> None:
    """No open that begins after the command has returned is still decided by the old rights."""

    def opening(say: Say) -> None:
        allowed = refused = last = 0
        while refused < 50:
            before = time.monotonic_ns()
            if error_of(lambda: os.close(os.open(site.plans / "doc.txt", os.O_RDONLY))):
                refused += 1
            else:
                allowed, last = allowed + 1, before
                if allowed == 200:
                    say("busy")
        say([allowed, last])

    with acting(CLEARED, opening) as opener:
        opener.next()
        with site.below("E1"):
            returned = time.monotonic_ns()
            allowed, last = opener.next().value
    assert allowed >= 200
    assert last < returned


def test_a_change_stops_a_reader_in_mid_file_and_a_bystander_notices_nothing(site: Scene) -> None:
    path = site.plans / "doc1.txt"

    def loop(say: Say) -> None:
        fd, reads, told = os.open(path, os.O_RDONLY), 0, time.monotonic()
        while not (error := error_of(lambda: os.pread(fd, 64, 0))):
            reads += 1
            if time.monotonic() > told + 0.1:  # however long each takes while it is asked about
                told = time.monotonic()
                say(reads)
        say([reads, error])

    site.grown_quiet()
    with acting(CLEARED, loop) as reader, acting(BYSTANDER, loop) as bystander:
        assert isinstance(reader.next().value, int)
        assert isinstance(bystander.next().value, int)
        with site.below("E1"):
            told = reader.next()
            while isinstance(told.value, int):
                told = reader.next()
            assert told.value[1] == "EPERM"
            bystander.heard()
            reads = bystander.next().value
            until(lambda: bystander.next().value > reads + 20_000)  # it reads on, and tells of no error
        assert isinstance(bystander.next().value, int)


def ending_soon(site: Scene, seconds: float) -> datetime:
    """Let E2's grant for the drafts end by itself, *seconds* from now; return when that is."""
    with site.asking() as agent:
        agent.call("grant.end", grant="E2", area="drafts", reason="x")
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        agent.call("grant.add", person="E2", area="drafts", reason="临时", until=end.isoformat())
    return end


def test_a_grant_ends_by_itself_while_the_control_process_is_stopped(site: Scene) -> None:
    """Nobody has to be alive to end it but the decider: for new opens, and for a descriptor that is open already."""
    path = site.site.root / "drafts" / "doc.txt"

    def reading_on(say: Say) -> None:
        fd = os.open(path, os.O_RDONLY)
        say("open")
        begun = last = time.time()
        while not error_of(lambda: os.pread(fd, 64, 0)):
            last = begun
            time.sleep(0.01)
            begun = time.time()
        say(last)

    assert attempt(TOO_LOW, reading(path)).allowed
    end = ending_soon(site, 12)  # long enough to grow quiet on a busy machine, and to open before it ends
    site.grown_quiet()
    with acting(TOO_LOW, reading_on) as reader:
        assert reader.next().value == "open"
        with site.stopped("control"):
            assert attempt(TOO_LOW, reading(path)).allowed
            last = reader.next(60).value
            assert attempt(TOO_LOW, reading(path)).error == "EPERM"
            assert datetime.now(UTC) >= end
    assert end.timestamp() - 2 < last < end.timestamp()  # no read that began later succeeded
    until(site.answers)
    assert site.denials(TOO_LOW)[-1]["rule"] in ("grant", "scope")


def test_a_change_made_while_the_decider_is_being_replaced_is_obeyed_by_the_next(site: Scene) -> None:
    pid = site.site.process("decider")
    os.kill(pid, 9)
    with site.on_hold("E1"):
        assert not may(site)
    assert may(site)
