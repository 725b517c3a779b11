"""A room behind UHPPOTE boards, end to end: real datagrams, silent boards, a departure proven by reading back."""

import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.simulator.client import Running, start
from tests.control.site import Site, running
from tests.doors.kit import boards as loopback
from tests.rooms.kit import until
from tests.sentences import en

GOOD, SHAKY = 405419896, 303986753
CARDS = {"E1": 100001, "E2": 100002, "E3": 100003}


class Boards:
    """A site with a room ``store`` that has a door on each of two boards."""

    def __init__(self, site: Site, devices: Running) -> None:
        self.site = site
        self.devices = devices
        self.client = site.client()

    def call(self, op: str, **args: Any) -> Any:
        return self.client.call(op, **args)

    def restart(self) -> None:
        """Kill the control process, and start another one."""
        self.site.control.kill()
        self.site.control.wait(30)
        self.site.start_control()
        self.client.close()
        self.client = self.site.client()

    def seen(self, door: str) -> Any:
        return self.devices.do("state")["doors"][door]

    def swipe(self, person: str, door: str = "front") -> bool:
        """Show a card and tell whether the lock was released, once what was decided is in the log."""
        before, decided = self.seen(door)["opened"], len(self.decisions(door))
        self.devices.do("swipe", door=door, card=CARDS.get(person) or int(person))
        entry = until(lambda: self.decisions(door)[decided:], "the decision")[0]
        allowed = entry.get("verdict") == "allow"
        seconds = 10 if allowed else 0.2
        return bool(self.devices.do("opened", door=door, times=before + 1, seconds=seconds)["opened"])

    def decisions(self, door: str) -> list[dict[str, Any]]:
        return [
            entry
            for entry in self.site.entries(door=door)
            if entry["kind"] == "door" or entry.get("what") == "own-decision"
        ]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def boards() -> Iterator[Boards]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoumi-boards-")))
        described = [{"serial": GOOD, "doors": {"1": "front"}}, {"serial": SHAKY, "doors": {"1": "back"}}]
        devices = stack.enter_context(start({"boards": described}, folder / "devices"))
        made = Boards(stack.enter_context(running(folder / "home")), devices)
        stack.callback(lambda: made.client.close())
        made.call("room.add", room="store", level="internal", domain="state")
        made.call("door.listen", address=f"127.0.0.1:{free_port()}")
        for person, card in CARDS.items():
            made.call("person.add", person=person, level=["internal"], domain="state", badge=[str(card)])
            made.call("grant.add", person=person, area="store", reason="test")
        for door in ("front", "back"):
            made.call("door.add", door=door, room="store", reader=[devices.doors[door]["address"]])
        until(
            lambda: all(set(CARDS.values()) <= set(made.seen(door)["cards"]) for door in ("front", "back")), "the cards"
        )
        until(lambda: all(made.seen(door)["under_control"] for door in ("front", "back")), "control")
        yield made


@pytest.fixture(scope="module")
def site() -> Iterator[Boards]:
    with boards() as made:
        yield made


def test_a_card_opens_by_our_decision_and_leaves_an_entry(site: Boards) -> None:
    assert site.swipe("E1")
    assert site.site.entries(kind="door", person="E1")[-1]["verdict"] == "allow"


def test_a_card_nobody_has_is_refused_by_the_board_and_that_is_told(site: Boards) -> None:
    assert not site.swipe("777777")
    assert site.decisions("front")[-1]["what"] == "own-decision"


def test_boards_hold_cards_without_a_right_and_lose_a_badge_that_is_taken_back(site: Boards) -> None:
    site.call("badge.remove", person="E3", number=str(CARDS["E3"]))
    until(lambda: CARDS["E3"] not in site.seen("front")["cards"], "the card")
    assert not site.swipe("E3")


def test_a_departure_is_proven_by_reading_back_and_the_silent_board_is_pending_until_it_speaks(site: Boards) -> None:
    assert site.swipe("E2")
    until(lambda: [row["person"] for row in site.client.stream("occupancy.list", room="store")] != [], "the way in")
    site.devices.do("offline", door="back", side="in")
    site.call("case.open", person="E2", last_day="2036-12-31")
    site.call("case.approve", person="E2", **{"as": "officer"})
    receipt = until(lambda: receipts(site), "the receipt")[-1]
    doors = {door["door"]: door for door in receipt["doors"]}
    assert (doors["front"]["state"], doors["back"]["state"]) == ("confirmed", "pending")
    assert str(SHAKY) in en(doors["back"]["detail"])
    assert doors["front"]["after_us"] < 4_000_000
    assert {"step:doors", "door:back"} <= set(receipt["open"])
    [step] = [step for step in receipt["steps"] if step["id"] == "doors"]
    assert step["facts"]["inside"] == ["store"]
    assert "stopped-inside" in [row["kind"] for row in site.client.stream("alarm.list", room="store")]
    assert not site.swipe("E2")

    site.devices.do("online", door="back", side="in")
    site.restart()  # what is pending is taken up at the start, as it is every half minute
    receipt = until(lambda: [one for one in receipts(site) if "step:doors" not in one["open"]], "the last receipt")[-1]
    assert {door["state"] for door in receipt["doors"]} == {"confirmed"}
    assert CARDS["E2"] not in site.seen("back")["cards"]
    assert site.swipe("E1", "back")


def test_a_board_that_hears_from_nobody_opens_for_nobody(site: Boards) -> None:
    site.site.control.kill()
    site.site.control.wait(30)
    before = site.seen("front")["opened"]
    site.devices.do("swipe", door="front", card=CARDS["E1"])
    assert not site.devices.do("opened", door="front", times=before + 1, seconds=0.5)["opened"]
    site.site.start_control()


def test_an_opening_that_a_board_only_claims_is_told_from_one_that_its_lock_shows(tmp_path: Path) -> None:
    with loopback(GOOD) as (_loop, [board]), running(tmp_path / "home") as site, site.client() as client:
        client.call("room.add", room="store", level="internal", domain="state")
        client.call("door.add", door="front", room="store", reader=[f"{board.line}/1"])
        until(lambda: any(one["online"] for one in client.call("door.test", door="front")["readers"]), "the board")
        for feigns in (True, False):
            board.faults.feigns = feigns
            ticket = client.call("door.open", door="front", reason="a delivery")["ticket"]
            outcome = client.call("door.outcome", ticket=ticket)
            assert (outcome["ok"], outcome["confirmed"]) == (True, not feigns), outcome
        assert board.doors[1].opened == 1


def receipts(site: Boards) -> list[Any]:
    found = sorted((site.site.home.root / "receipts").glob("*.receipt"))
    return [json.loads(file.read_text().splitlines()[0]) for file in found]
