"""A whole site with doors: the control process, its doors process, a decider with its log, readers on real wires."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from agent.api.client import AgentClient
from agent.errors import ShoumiError
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from tests.control.site import Site, running

PEOPLE = ("E1", "E2", "E3")
_BADGES = 4  # of each person: the same card shown twice within two seconds is one read
PATIENCE = 30.0
_SILENCE = 5.0  # seconds without an answer after which a read was not trusted
FRESH = 2.1  # seconds for which reads after a reader came online are not trusted


def until(come: Callable[[], object], what: str = "it") -> Any:
    """Ask again and again until it has come true, and return what came."""
    deadline = time.monotonic() + PATIENCE
    while not (found := come()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)
    return found


class House:
    """A site with one room ``vault``, whose door has a reader on each side and a contact, and three people."""

    def __init__(self, site: Site, outside: SoftwareReader, inside: SoftwareReader) -> None:
        self.site = site
        self.outside, self.inside = outside, inside
        self.client: AgentClient = site.client()
        self._turns = itertools.count()

    def call(self, op: str, **args: Any) -> Any:
        return self.client.call(op, **args)

    def reconnect(self) -> None:
        """Talk to the control process that has taken the place of the last one."""
        self.client.close()
        self.client = self.site.client()

    def furnish(self) -> None:
        self.call("room.add", room="vault", level="secret", domain="state")
        readers = {"reader": [self.outside.address], "exit_reader": [self.inside.address]}
        self.call("door.add", door="vault", room="vault", contact="yes", **readers)
        for side in ("in", "out"):
            ticket = self.call("door.commission", door="vault", side=side)["ticket"]
            assert self.call("door.outcome", ticket=ticket)["ok"]
        for person in PEOPLE:
            badges = [str(self.badge(person)) for _ in range(_BADGES)]
            self.call("person.add", person=person, level=["secret"], domain="state", badge=badges)
            self.call("grant.add", person=person, area="vault", reason="test")

    def badge(self, person: str) -> int:
        """Return one of the badges of *person*, another one each time; of nobody, what is said."""
        if person not in PEOPLE:
            return int(person)
        return 1000 * int(person[1]) + next(self._turns) % _BADGES

    def fresh(self) -> None:
        """Wait until the door can be used: its readers are online and their reads are trusted."""
        until(self.online, "the reader")
        time.sleep(FRESH)

    def online(self) -> bool:
        with suppress(ShoumiError):
            readers = self.call("door.test", door="vault")["readers"]
            return bool(readers) and all(one["online"] and one["secure"] for one in readers)
        return False

    def lets(self, person: str, reader: SoftwareReader | None = None) -> bool:
        """Show a badge and tell whether the lock is released; a refusal is waited for as well."""
        reader = reader or self.outside
        before, lit = self.outside.times("strike"), reader.times("light")

        def answered() -> bool:
            return self.outside.times("strike") > before or _red(reader, lit)

        def shown() -> bool:
            """Show a badge; a reader that was away for a moment, on a busy machine, keeps silent: show it again."""
            reader.swipe(self.badge(person))
            deadline = time.monotonic() + _SILENCE
            while not answered() and time.monotonic() < deadline:
                time.sleep(0.02)
            return answered()

        until(shown, "an answer at the reader")
        return self.outside.times("strike") > before

    def through(self, person: str, *, out: bool = False) -> None:
        """Let somebody pass the door."""
        assert self.lets(person, self.inside if out else self.outside)
        self.pass_through(person, out=out)

    def pass_through(self, person: str, *, out: bool) -> None:
        """Open the door and close it behind somebody."""
        self.outside.contact(open=True)
        until(lambda: (person in self.occupants()) is not out, "the passage")
        self.outside.contact(open=False)

    def occupants(self) -> list[str]:
        return [row["person"] for row in self.client.stream("occupancy.list", room="vault")]

    def alarms(self) -> list[str]:
        return [row["kind"] for row in self.client.stream("alarm.list", room="vault")]

    def doors_process(self) -> int:
        """Return the pid of the doors process."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
                if b"agent.doors" in words and int(parent) == self.site.control.pid:
                    return int(pid)
        raise LookupError("no doors process")


def _red(reader: SoftwareReader, since: int) -> bool:
    lights = [told for told in reader.heard if told.kind == "light"]
    return any(told.colour == "red" for told in lights[since:])


@contextmanager
def house(pack: str = "minimal") -> Iterator[House]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoumi-house-")))
        outside, inside = SoftwareReader(1), SoftwareReader(2)
        stack.enter_context(ReaderLine([outside, inside]))
        made = House(stack.enter_context(running(folder / "home", pack)), outside, inside)
        stack.callback(lambda: made.client.close())
        made.furnish()
        made.fresh()
        yield made
