"""A whole site with people, documents, doors and somebody who shows badges: what the long rounds work on.

Rules of this file: everything is the real agent over real wires. ``vault`` is for the cleared, and nobody is cleared
for ``annex``: whatever opens there is wrong, whenever it opens.
"""

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent.simulator.client import Running, start
from tests.enforcement.scene import Scene, scene, until

CLEARED_CARDS = {"E1": range(4660, 4664), "E3": range(4670, 4674)}
WRONG_CARDS = (4699, 4680)  # nobody's, and of somebody who may not
_READERS = [
    {"door": door, "side": side, "number": number, "line": f"{door} {side}", "wired": side == "in"}
    for door in ("vault", "annex")
    for number, side in enumerate(("in", "out"), 1)
]
_PATIENCE = 60.0


class Premises:
    """A running site, and its devices."""

    def __init__(self, site: Scene, devices: Running) -> None:
        self.site = site
        self.devices = devices

    def furnish(self) -> None:
        """Register rooms, doors and badges, and give every reader its key."""
        doors = self.devices.do("state")["doors"]
        with self.site.asking() as agent:
            for door in doors:
                at = doors[door]["readers"]
                addresses = {"reader": [at["in"]["address"]], "exit_reader": [at["out"]["address"]]}
                agent.call("room.add", room=door, level="secret", domain="state")
                agent.call("door.add", door=door, room=door, contact="yes", **addresses)
                for side in ("in", "out"):
                    ticket = agent.call("door.commission", door=door, side=side)["ticket"]
                    assert agent.call("door.outcome", ticket=ticket)["ok"]
            for person, cards in CLEARED_CARDS.items():
                agent.call("grant.add", person=person, area="vault", reason="测试")
                for card in cards:
                    agent.call("badge.add", person=person, number=str(card))
            agent.call("badge.add", person="E2", number=str(WRONG_CARDS[1]))
        until(lambda: all(map(self.online, doors)), _PATIENCE)

    def online(self, door: str) -> bool:
        """Whether all readers of *door* answer over their secure channel."""
        with contextlib.suppress(Exception), self.site.asking() as agent:
            readers = agent.call("door.test", door=door)["readers"]
            return bool(readers) and all(one["online"] and one["secure"] for one in readers)
        return False

    def opened(self, door: str) -> int:
        """Return how often the lock of *door* was told to open, by what its reader heard."""
        return int(self.devices.do("state")["doors"][door]["opened"])


class Badges:
    """Somebody who shows badges at every reader, on and on, in a thread of this process."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._over = threading.Event()
        self._failed: Exception | None = None
        self.shown = 0

    def work(self) -> None:
        """Show badges until told to stop; whoever is let in opens the door and closes it again."""
        people = itertools.cycle(zip(*CLEARED_CARDS.values(), strict=True))
        wrong = itertools.cycle(WRONG_CARDS)
        try:
            while not self._over.is_set():
                for card in next(people):
                    for side in ("in", "out"):
                        self._show("vault", side, card)
                self._show("annex", "in", next(wrong))
                self._show("vault", "in", next(wrong))
        except Exception as error:
            self._failed = error

    def _show(self, door: str, side: str, card: int) -> None:
        before = self._premises.opened(door)
        self._premises.devices.do("swipe", door=door, side=side, card=card)
        self.shown += 1
        if self._premises.devices.do("opened", door=door, times=before + 1, seconds=0.2)["opened"]:
            self._premises.devices.do("contact", door=door, open=True)
            self._premises.devices.do("contact", door=door, open=False)

    def stop(self) -> None:
        """End it. Raises what it met with."""
        self._over.set()
        if self._failed:
            raise self._failed


@contextmanager
def badges(premises: Premises) -> Iterator[Badges]:
    """Show badges for the length of the block."""
    made = Badges(premises)
    thread = threading.Thread(target=made.work)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()


@contextmanager
def premises(volume: str = "ext4", settings: Sequence[str] = (), stderr: int | None = None) -> Iterator[Premises]:
    """A running site on a volume of this type; everything is removed on leaving."""
    with (
        scene(settings=settings, volume=volume, size=400 << 20, stderr=stderr) as site,
        start({"readers": _READERS}, site.site.home.root.parent / "devices") as devices,
    ):
        made = Premises(site, devices)
        made.furnish()
        site.mark()
        yield made
