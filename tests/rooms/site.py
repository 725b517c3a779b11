"""A site's rooms without wires: real registry, rules, decider process and log; what would go to the doors is kept."""

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent import shipped_packs
from agent.control.decider_client import DeciderConnection
from agent.demo.record import LogPosition
from agent.doors.link import LinkClosedError
from agent.doors.messages import Contact, Do, Read, Release, Released
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.store import Registry
from agent.rooms.controller import RoomController
from agent.rooms.facts import SiteSnapshot
from agent.rooms.recorder import Recorder
from agent.runtime import channel
from agent.runtime.home import Home
from agent.site.init import make
from rules.model import Clearance, Level, RoomRules
from tests import ROOT

PEER = ("-m", "tests.control.peer_process")
IN, OUT, BOARD = "osdp+tcp://127.0.0.1:4001/1", "osdp+tcp://127.0.0.1:4001/2", "uhppote://127.0.0.1:60000/405419896/1"
BADGES = {"E1": "1001", "E2": "1002", "E3": "1003"}


class Kit:
    """One home, one decider process, and the rooms of a control process that can be started again."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.ahead = timedelta()
        self.sent: list[Do] = []
        self.deaf = False
        self._ends = channel.pair()
        self.decider = DeciderConnection(channel.ChannelClient(self._ends[0]))
        self.peer = self._peer()
        self.registry = Registry(home.registry)
        self.start()

    def start(self) -> None:
        self.building = SiteSnapshot(self.home)
        self.recorder = Recorder(self.decider, self.now)
        self.rooms = RoomController(
            self.building, self.registry, self.recorder, lambda frame: self.send(frame), self.now
        )
        self.rooms.begin()

    def crash(self) -> None:
        """Begin anew from what is on disk, as a control process that was killed does."""
        self.recorder.close()
        self.building.close()
        self.start()
        self.rooms.restarted()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def send(self, frame: Do) -> None:
        if self.deaf:
            raise LinkClosedError
        self.sent.append(frame)

    @contextmanager
    def officer(self) -> Iterator[RegistryTransaction]:
        """Change the registry as an act does; the rooms then take it over as the serving thread does."""
        with self.registry.change(self.now()) as change:
            yield change
        self.follow()

    def follow(self) -> None:
        if self.building.moved():
            self.rooms.take_over()

    def swipe(self, who: str, door: str = "vault", side: str = "in", **more: Any) -> list[Release]:
        """Show a badge, and return the releases that were sent."""
        before = len(self.sent)
        card = int(BADGES.get(who, who))
        at = self.now().timestamp()
        read = Read(door=door, side=side, card=card, at=at, **{"secure": True, **more})  # type: ignore[arg-type]
        self.ahead += timedelta(seconds=3)  # the same card again is another read
        self.rooms.heard(door, read)
        return [frame for frame in self.sent[before:] if isinstance(frame, Release)]

    def enter(self, who: str) -> None:
        """Let somebody in, all the way through the door."""
        [release] = self.swipe(who)
        self.rooms.answered(Released(release.id, ok=True))
        self.rooms.heard("vault", Contact("vault", open=True))
        self.rooms.heard("vault", Contact("vault", open=False))

    def entries(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the entries with these fields, once what waits to be written is."""
        self.recorder.later({"kind": "mark"}).result(20)  # type: ignore[union-attr]
        found = LogPosition(self.home.log).fresh()
        return [entry for entry in found if all(entry.get(key) == value for key, value in wanted.items())]

    def kill_decider(self) -> None:
        if self.peer.poll() is None:
            self.peer.kill()
            self._bury()

    def restart_decider(self) -> None:
        self.peer = self._peer()

    def restart_decider_in(self, seconds: float) -> None:
        """Have another decider ready that answers so much later: how long a program takes to load is not tried."""
        self.restart_decider()
        assert self.peer.stdin
        assert self.peer.stdout
        self.peer.stdin.write(b"behind 0\n")
        self.peer.stdin.flush()
        assert self.peer.stdout.readline() == b"ok\n"
        self.peer.send_signal(signal.SIGSTOP)
        threading.Timer(seconds, self.peer.send_signal, (signal.SIGCONT,)).start()

    def close(self) -> None:
        self.recorder.close()
        self.building.close()
        self.registry.close()
        self.kill_decider()
        for end in self._ends:
            end.close()

    def _peer(self) -> subprocess.Popen[bytes]:
        fd = self._ends[1].fileno()
        argv = [sys.executable, *PEER, str(self.home.root), str(fd)]
        return subprocess.Popen(argv, cwd=ROOT, pass_fds=(fd,), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _bury(self) -> None:
        self.peer.wait(30)
        for pipe in (self.peer.stdin, self.peer.stdout):
            assert pipe
            pipe.close()


@contextmanager
def kit(furnish: Callable[[RegistryTransaction], None] = lambda _change: None, pack: str = "minimal") -> Iterator[Kit]:
    """A site with three people cleared for the room ``vault``, which has one OSDP door of that name."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoumi-doors-")))
        home = Home(folder / "home")
        make(home, shipped_packs.text(pack))
        with Registry(home.registry) as registry, registry.change(datetime.now(UTC)) as change:
            people(change)
            change.rooms.add("vault", level=Level.SECRET, domain="state", rules=RoomRules())
            change.doors.add(
                "vault", "vault", protocol="osdp", readers=[(IN, "in"), (OUT, "out")], strike=IN, contact=True
            )
            for person in BADGES:
                grant(change, person, "vault")
            furnish(change)
        made = Kit(home)
        stack.callback(made.close)
        yield made


def people(change: RegistryTransaction) -> None:
    for person, badge in BADGES.items():
        change.people.add(person, clearances=[Clearance("state", Level.SECRET, approved_by="boss")])
        change.badges.add(badge, person)


def grant(change: RegistryTransaction, person: str, room: str) -> None:
    change.grants.add(person, room, reason="test", approver="boss")
