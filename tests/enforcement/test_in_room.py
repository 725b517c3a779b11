"""Files that open only inside the room of their machine: a badge at a door decides what the kernel lets through.

Rules of this file: whoever goes in or out shows a badge at a simulated reader, over the real protocol; nothing is told
to the agent in any other way.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agent import shipped_packs
from agent.demo.actors import ActorIdentity, acting, attempt, reading
from agent.simulator.client import Running, start
from tests.enforcement.scene import BYSTANDER, CLEARED, SIZE, Scene, error_of, scene, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-in-room")]

Say = Callable[[object], None]
CARDS = {"E1": 4660, "E3": 4662}
_ONCE_MORE = 4.0  # seconds: longer than it takes to look who holds what, and to let reads pass unasked again


class Place:
    """A site whose machine stands in the room ``vault``, with a reader on each side of its door."""

    def __init__(self, site: Scene, devices: Running) -> None:
        self.site = site
        self._devices = devices
        self.plans = site.plans

    def inside(self) -> set[str]:
        with self.site.asking() as agent:
            return {row["person"] for row in agent.stream("occupancy.list", room="vault")}

    def badge(self, person: str, side: str) -> None:
        """Show the badge of *person*, and wait until the list of who is inside follows."""

        def shown() -> bool:
            self._devices.do("swipe", door="gate", side=side, card=CARDS[person])
            deadline = time.monotonic() + 10
            while (person in self.inside()) is not (side == "in") and time.monotonic() < deadline:
                time.sleep(0.02)
            return (person in self.inside()) is (side == "in")

        until(shown)

    @contextmanager
    def entered(self, *people: str) -> Iterator[None]:
        for person in people:
            self.badge(person, "in")
        try:
            yield
        finally:
            for person in self.inside():
                self.badge(person, "out")


@pytest.fixture(scope="module")
def made(able: None) -> Iterator[Place]:
    with scene() as site:
        root = site.site.home.root
        with start({"boards": [{"serial": 405419896, "doors": {"1": "gate"}}]}, root / "devices") as devices:
            address = devices.doors["gate"]["address"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, site.asking() as agent:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
                agent.call("room.add", room="vault", level="secret", domain="state")
                agent.call("room.host", room="vault")
                for person, card in CARDS.items():
                    agent.call("badge.add", person=person, number=str(card))
                    agent.call("grant.add", person=person, area="vault", reason="测试")
            with site.asking() as agent:
                agent.call("door.listen", address=f"127.0.0.1:{port}")
                agent.call("door.add", door="gate", room="vault", reader=[address], exit_reader=[address])
            assert attempt(CLEARED, reading(site.plans / "doc.txt")) == (SIZE, "")  # until the pack says otherwise
            pack = root / "in-room.toml"
            pack.write_text(shipped_packs.text("minimal") + '\n[in_room]\nfrom_level = "secret"\n')
            site.site.shoumi("pack", "use", str(pack))
            until(lambda: set(CARDS.values()) <= set(devices.do("state")["doors"]["gate"]["cards"]))
            yield Place(site, devices)


@pytest.fixture
def site(made: Place) -> Scene:
    """What the dead man of these tests looks after."""
    return made.site


def may(who: ActorIdentity, place: Place) -> bool:
    """Whether *who* gets the document open now; a wrong kind of refusal fails."""
    outcome = attempt(who, reading(place.plans / "doc.txt"))
    assert outcome.error in ("", "EPERM")
    return outcome.allowed


def reads_on(place: Place) -> Callable[[Say], None]:
    """Return an act that reads through one descriptor until it is refused, and says how many reads then passed."""

    def act(say: Say) -> None:
        fd = os.open(place.plans / "doc.txt", os.O_RDONLY)
        say("open")
        while not error_of(lambda: os.pread(fd, 64, 0)):
            time.sleep(0.005)
        say("refused")
        end, passed = time.monotonic() + _ONCE_MORE, 0
        while time.monotonic() < end:
            passed += not error_of(lambda: os.pread(fd, 64, 0))
            time.sleep(0.005)
        say(passed)

    return act


def test_nobody_opens_a_file_from_outside_and_whoever_badged_in_does(site: Scene, made: Place) -> None:
    assert not may(CLEARED, made)
    assert {entry["rule"] for entry in site.denials(CLEARED) if entry.get("area") == "plans"} == {"in-room"}
    with made.entered("E1"):
        assert may(CLEARED, made)
        assert not may(BYSTANDER, made)  # it is his own badge that counts


def test_after_the_way_out_the_next_open_and_a_descriptor_that_is_open_are_refused(site: Scene, made: Place) -> None:
    with made.entered("E1"), acting(CLEARED, reads_on(made)) as reader:
        assert reader.next().value == "open"
        assert may(CLEARED, made)
        site.mark()
        made.badge("E1", "out")
        assert not may(CLEARED, made)
        assert reader.next().value == "refused"
        assert reader.next().value == 0
        refused = [entry for entry in site.denials(CLEARED) if entry.get("area") == "plans"]
        assert {entry["rule"] for entry in refused} == {"in-room"}
        assert {entry["action"] for entry in refused} >= {"open", "access"}


def test_whoever_stays_inside_reads_on_and_opens_nothing_for_whoever_left(site: Scene, made: Place) -> None:
    """Data that passes unasked passes for everybody who has the file open: that may begin again only without him."""

    def reading_on(say: Say) -> None:
        fd = os.open(made.plans / "doc.txt", os.O_RDONLY)
        while not (error := error_of(lambda: os.pread(fd, 64, 0))):
            say("read")
            time.sleep(0.01)
        say(error)

    with made.entered("E1"), acting(CLEARED, reads_on(made)) as leaver:
        assert leaver.next().value == "open"
        made.badge("E3", "in")  # after which it is looked who holds what: he does, and may
        with acting(BYSTANDER, reading_on) as bystander:
            assert bystander.next().value == "read"
            site.grown_quiet()
            made.badge("E1", "out")
            assert leaver.next().value == "refused"
            assert leaver.next().value == 0
            assert {told.value for told in bystander.heard()} == {"read"}
            assert may(BYSTANDER, made)
