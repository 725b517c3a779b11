"""A small site and a judge of its events, without a kernel: threads are whom this file says they are.

    CLEARED     may use plans and notes
    UNCLEARED   may use notes
    SMBD        root's server process: its threads act for whoever opened the file there

``watch`` is only observed: nobody is cleared for it but CLEARED, and everybody passes.
"""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from agent import shipped_packs
from agent.guard.identities import Identities
from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.judge import EventJudge
from agent.guard.objects import Object
from agent.guard.openers import Openers
from agent.guard.own_attempts import OwnAttempts
from agent.guard.policy import PolicySnapshot
from agent.guard.programs import RegisteredPrograms
from agent.guard.verdicts import Answer, VerdictCache, VerdictSource
from agent.kernel.subject import Subject, TaskGoneError
from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.store import Registry
from agent.runtime.clock import nanoseconds
from agent.runtime.home import Home
from rules.model import Clearance, Level, Mode
from rules.pack.reader import load

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
CLEARED, UNCLEARED, STRANGER = 61_001, 61_002, 61_003
AREAS = ("plans", "notes", "watch")
MAY: Mapping[int, Collection[str]] = {CLEARED: AREAS, UNCLEARED: ("notes",), STRANGER: (), 0: ()}
SMBD, SMBD_STARTED = 4_711, 99


def passes(who: Collection[int], areas: Collection[str]) -> bool:
    """Say what must come of a use of something in *areas* by everybody of *who*."""
    return all(area == "watch" or area in MAY[uid] for uid in who for area in areas)


def thread(uid: int, tid: int = 100, *, server: bool = False, login: int | None = None) -> Subject:
    """Return who a thread is; of the server with *server*."""
    if server:
        return Subject(uid, None, uid, SMBD, tid, b"/usr/sbin/smbd", b"smbd", impersonates=True, started=SMBD_STARTED)
    return Subject(uid, login, uid, tid, tid, b"/bin/cat", b"cat")


def thing(*areas: str, inode: int = 12, directory: bool = False) -> Object:
    """Return something in *areas*."""
    return Object(areas, directory, b"/srv/x", 65_024, inode, b'"path":"/srv/x"')


class Threads:
    """Who the threads are that wait; whoever is not here has ended."""

    def __init__(self) -> None:
        self.known: dict[int, Subject] = {}

    def of(self, tid: int) -> Subject:
        if tid not in self.known:
            raise TaskGoneError
        return self.known[tid]


class Judging:
    """The judge of a site in *folder*."""

    def __init__(self, folder: Path) -> None:
        path = folder / "registry.db"
        migrate(path)
        with Registry(path) as registry, registry.change(NOW - timedelta(days=1)) as change:
            for number, level, uid in (("E1", Level.SECRET, CLEARED), ("E2", Level.INTERNAL, UNCLEARED)):
                change.people.add(number, clearances=(Clearance("state", level, "", "officer"),))
                change.accounts.add(uid, number)
            for name, level in (("plans", Level.SECRET), ("notes", Level.INTERNAL), ("watch", Level.SECRET)):
                mode = Mode.OBSERVE if name == "watch" else Mode.ENFORCE
                change.areas.add(name, path=f"/srv/{name}", level=level, domain="state", mode=mode)
                change.grants.add("E1", name, reason="work", approver="officer")
            change.grants.add("E2", "notes", reason="work", approver="officer")
        self._stack = ExitStack()
        reader = self._stack.enter_context(FactsReader(path))
        self.source = VerdictSource(reader, load(shipped_packs.text("minimal")), RegisteredPrograms())
        self.policy = PolicySnapshot(Home(folder))
        self.policy.observed = frozenset(("watch",))
        self.verdicts = VerdictCache("host")
        self.verdicts.advance(1, self.source, observed=self.policy.observed)
        self.threads = Threads()
        self.openers = Openers({SMBD: SMBD_STARTED}.get)
        self.silence = IgnoreMarks(-1)
        self.judge = EventJudge(
            -1, self.policy, self.verdicts, cast("Identities", self.threads), self.silence, OwnAttempts(), self.openers,
            lambda _: None,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stack.close()

    def opens(self, who: Subject, what: Object) -> Answer:
        """Judge an open, and look at the process where that is asked for: nothing is seen there."""
        self.threads.known[who.tid] = who
        found = self.judge.open(what, -1, who.tid, nanoseconds(NOW))
        return found or self._told(self.judge.open(what, -1, who.tid, nanoseconds(NOW), inspected=True))

    def uses(self, who: Subject, what: Object) -> Answer:
        """Judge the use of an open file."""
        self.threads.known[who.tid] = who
        return self._told(self.judge.access(what, who.tid, nanoseconds(NOW), inspected=True))

    def opened(self, by: Collection[int], what: Object) -> None:
        """Have threads of the server open *what*, whatever they may."""
        for tid, uid in enumerate(by, SMBD + 1):
            assert self.openers.add(replace(thread(uid, tid, server=True)), (what.device, what.inode), 1)

    @staticmethod
    def _told(answer: Answer | None) -> Answer:
        assert answer is not None
        return answer
