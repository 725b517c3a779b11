"""People who lose rights: each has a process that looks through a mapping, one that reads through a descriptor.

Rules of this file: what they do is real, and stamped by themselves in memory shared with us, so that it outlives them.
An act that its caller got no answer to is asked for again until it was done, as an officer would.
"""

import contextlib
import mmap
import os
import select
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from agent.api.client import AgentClient
from agent.demo.actors import ActorIdentity, acting
from agent.demo.personnel import HrDepartment
from agent.errors import RefusedError, UnreachableError
from tests.enforcement.scene import NO_LOGIN, Scene, until

AREA = "plans"
_STAMP = struct.Struct("=qqqq")  # began and ended (ns since 1970) of the last look, looks, refusals
_PAUSE = 0.001  # seconds between two looks
_REFUSALS = 5  # in a row, after which nobody reads on
_PATIENCE = 60.0
_TERM = timedelta(seconds=6)  # of a grant that ends by itself: whoever has it begins to work first

Say = Callable[[object], None]


class Looks:
    """What one process has seen so far."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _STAMP.size)

    @property
    def began(self) -> int:
        """When the last look began that saw something, in ns since 1970; 0: none did."""
        return int(_STAMP.unpack(self._shared[:])[0])

    @property
    def ended(self) -> int:
        """When that look was over."""
        return int(_STAMP.unpack(self._shared[:])[1])

    @property
    def refused(self) -> int:
        """How many looks were refused since then."""
        return int(_STAMP.unpack(self._shared[:])[3])

    def go_on(self, look: Callable[[], object]) -> None:
        """Look, again and again, until somebody ends this process."""
        seen = refused = 0
        began = ended = 0
        while True:
            now = time.time_ns()
            try:
                look()
                began, ended, seen, refused = now, time.time_ns(), seen + 1, 0
            except OSError:
                refused += 1
            _STAMP.pack_into(self._shared, 0, began, ended, seen, refused)
            time.sleep(_PAUSE)


class Loser:
    """Somebody with one account and a grant, at work on *document* until they are ended."""

    def __init__(self, site: Scene, number: int, document: Path, *, term: bool) -> None:
        """*term*: the grant ends by itself soon."""
        self.id, self.uid = f"K{number}", number
        self.ends = datetime.now(UTC) + _TERM if term else None
        self.mapped, self.read = Looks(), Looks()
        self._site, self._document = site, document
        with site.asking() as agent:
            agent.call("person.add", person=self.id, level=["secret"], domain="state", account=[number])
            until_then = {"until": self.ends.isoformat()} if self.ends else {}
            self.grant = agent.call("grant.add", person=self.id, area=AREA, reason="测试", **until_then)["grant"]

    @property
    def who(self) -> ActorIdentity:
        """The account, without a login."""
        return ActorIdentity(self.uid, NO_LOGIN)

    def work(self, stack: ExitStack) -> None:
        """Begin to look and to read; both processes end with *stack*."""
        for act, looks in ((self._map, self.mapped), (self._reading, self.read)):
            actor = stack.enter_context(acting(self.who, act))
            if looks is self.mapped:
                self._mapping = os.pidfd_open(actor.pid)
                stack.callback(os.close, self._mapping)
            else:
                self._reader = os.pidfd_open(actor.pid)
                stack.callback(os.close, self._reader)
            until(lambda looks=looks: looks.began, _PATIENCE)

    @property
    def maps(self) -> bool:
        """Whether the process with the mapping lives."""
        return not _over(self._mapping)

    @property
    def reads(self) -> bool:
        """Whether the process with the descriptor lives and was not refused some times in a row."""
        return not _over(self._reader) and self.read.refused < _REFUSALS

    def _map(self, _say: Say) -> None:
        fd = os.open(self._document, os.O_RDONLY)
        mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        os.close(fd)
        self.mapped.go_on(lambda: mapped[0])

    def _reading(self, _say: Say) -> None:
        fd = os.open(self._document, os.O_RDONLY)
        self.read.go_on(lambda: os.pread(fd, 16, 0))


class Way(NamedTuple):
    """A way of losing rights. ``letter`` begins the names of its runs; ``term``: the grant ends by itself.

    ``always``: there is a run whoever else has ended them meanwhile.
    """

    name: str
    letter: str
    lose: Callable[[Scene, HrDepartment, Loser], None]
    always: bool = True
    term: bool = False


def _asked(op: str, given: Callable[[Loser], dict[str, object]]) -> Callable[[Scene, HrDepartment, Loser], None]:
    def lose(site: Scene, _personnel: HrDepartment, loser: Loser) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(UnreachableError), AgentClient(site.site.home, timeout=_PATIENCE) as agent:
                with contextlib.suppress(RefusedError):  # it was done, and nobody was there to say so
                    agent.call(op, **given(loser))
                return
            time.sleep(0.05)
        raise TimeoutError(f"{op} was not done")

    return lose


def _notice(_site: Scene, personnel: HrDepartment, loser: Loser) -> None:
    personnel.drop(personnel.sign(loser.id))


def _expiry(_site: Scene, _personnel: HrDepartment, loser: Loser) -> None:
    assert loser.ends
    time.sleep(max(0.0, (loser.ends - datetime.now(UTC)).total_seconds()))


WAYS = (
    Way("grant.end", "L", _asked("grant.end", lambda one: {"grant": one.grant, "reason": "测试"}), always=False),
    Way("person.set", "L", _asked("person.set", lambda one: _lowered(one)), always=False),
    Way("hold.add", "H", _asked("hold.add", lambda one: {"person": one.id, "reason": "测试"})),
    Way("import", "L", _asked("person.import", lambda one: _imported(one)), always=False),
    Way("notice", "C", _notice),
    Way("expiry", "G", _expiry, always=False, term=True),
)


def _lowered(one: Loser) -> dict[str, object]:
    return {"person": one.id, "level": ["internal"], "domain": "state"}


def _imported(one: Loser) -> dict[str, object]:
    return {"csv": f"id,name,level,domain\n{one.id},张三,none,state\n", "update": True}


def _over(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 0)[0])
