"""A room behind two readers, for walks: the control process of a site, and the devices of the product's own simulator.

Rules of this file: the devices are a process of their own, because readers that share one with the screens answer too
late when the machine is busy. What badges do is waited for in the log, which has every answer.
"""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from agent.api.client import AgentClient
from agent.errors import ShoumiError
from agent.simulator.client import Running, start
from tests.control.site import Site, running
from tests.rooms.kit import FRESH, until

PEOPLE = ("E1", "E2", "E3")
_BADGES = 8  # of each person: the same card shown twice within two seconds is one read
_TRIES = 3  # a reader that was away for a moment is not trusted at once
_DEVICES = {
    "readers": [
        {"door": "vault", "side": side, "number": number, "line": side, "wired": side == "in"}
        for number, side in enumerate(("in", "out"), 1)
    ],
    "boards": [],
}


class House:
    """The site, its room ``vault`` with a door of that name, and people who pass it."""

    def __init__(self, site: Site, devices: Running) -> None:
        self.site = site
        self.devices = devices
        self.client: AgentClient = site.client()
        self._turns = itertools.count()

    def furnish(self) -> None:
        readers = self.devices.doors["vault"]["readers"]
        addresses = {"reader": [readers["in"]["address"]], "exit_reader": [readers["out"]["address"]]}
        self.client.call("room.add", room="vault", level="secret", domain="state")
        self.client.call("door.add", door="vault", room="vault", contact="yes", **addresses)
        for side in ("in", "out"):
            ticket = self.client.call("door.commission", door="vault", side=side)["ticket"]
            assert self.client.call("door.outcome", ticket=ticket)["ok"]
        for person in PEOPLE:
            badges = [str(self._badge(person)) for _ in range(_BADGES)]
            self.client.call("person.add", person=person, level=["secret"], domain="state", badge=badges)
            self.client.call("grant.add", person=person, area="vault", reason="test")

    def tidy(self) -> None:
        """Bring the room back to how every walk finds it, whatever the last one left."""
        self.contact(open=False)
        self.devices.do("online", door="vault", side="out")
        for alarm in self.client.stream("alarm.list"):
            self.client.call("alarm.ack", alarm=alarm["id"], note="tidied")
        for lockdown in self.client.stream("lockdown.list"):
            room = {"room": lockdown["room"]} if lockdown["room"] else {}
            self.client.call("lockdown.off", reason="tidied", **room)
        self.client.call("occupancy.reset", room="vault", reason="tidied")
        self.trusted()

    def trusted(self) -> None:
        """Wait until both readers are online and what they read counts."""
        if not self.online():
            until(self.online, "the readers")
            time.sleep(FRESH)

    def online(self) -> bool:
        with suppress(ShoumiError):
            readers = self.client.call("door.test", door="vault")["readers"]
            return bool(readers) and all(one["online"] and one["secure"] for one in readers)
        return False

    def contact(self, *, open: bool) -> None:  # noqa: A002 - the word of the simulator
        self.devices.do("contact", door="vault", open=open)

    def opened(self) -> int:
        """Return how often the lock was released."""
        return int(self.devices.do("state")["doors"]["vault"]["opened"])

    def answer(self, person: str, side: str = "in") -> dict[str, Any]:
        """Show a badge, and return the entry of what the agent decided."""
        for _ in range(_TRIES):
            self.trusted()
            before = len(self.site.entries(kind="door", person=person))
            self.devices.do("swipe", door="vault", side=side, card=self._badge(person))

            def entries() -> list[dict[str, Any]]:
                return self.site.entries(kind="door", person=person)[before:]  # noqa: B023 - asked before it changes

            entry: dict[str, Any] = until(entries, "the entry")[-1]
            if entry.get("rule") != "doubt":
                return entry
        return entry

    def passes(self, person: str, side: str = "in") -> None:
        """Let somebody through the door, which falls shut behind him."""
        before = self.opened()
        entry = self.answer(person, side)
        assert entry["verdict"] == "allow", entry
        assert self.devices.do("opened", door="vault", times=before + 1, seconds=20)["opened"]
        self.contact(open=True)
        until(lambda: (person in self.inside()) is (side == "in"), "the passage")
        self.contact(open=False)

    def inside(self) -> list[str]:
        return [row["person"] for row in self.client.stream("occupancy.list", room="vault")]

    def alarms(self) -> list[str]:
        return [row["kind"] for row in self.client.stream("alarm.list", room="vault")]

    def _badge(self, person: str) -> int:
        return 1000 * int(person[1]) + next(self._turns) % _BADGES


@contextmanager
def house() -> Iterator[House]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoumi-house-")))
        devices = stack.enter_context(start(_DEVICES, folder / "devices"))
        made = House(stack.enter_context(running(folder / "home")), devices)
        stack.callback(made.client.close)
        made.furnish()
        until(made.online, "the readers")
        time.sleep(FRESH)
        yield made
