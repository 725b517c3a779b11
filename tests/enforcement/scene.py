"""A site for a whole file of tests: one agent, one volume, and people who try things.

Rules of this file: the test's own process never opens anything on a protected volume once the agent runs, because it
would wait for an agent it may have just stopped; whatever is tried is tried by a child. Every scene has a dead man: a
thread that kills this agent's processes, by pid, when a test takes too long, which lets every blocked opener go.
"""

import contextlib
import errno
import fcntl
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent.api.client import AgentClient
from agent.demo.actors import ActorIdentity, attempt, reading
from agent.demo.record import LogPosition
from agent.demo.stage import DemoStage, stage
from agent.kernel import fanotify
from agent.volumes.canary import uid as canary_uid
from tests.enforcement import syscalls
from tests.stopped import stopped, thread_states

NO_LOGIN = 0xFFFF_FFFF  # an unset login uid: what a service has, and what a child of ours gets whoever runs the tests

# What ends somebody on one site ends every process of that uid, so tests that run side by side share no people.
_FIRST = 61_011 + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CLEARED, TOO_LOW, BYSTANDER, UNKNOWN = (ActorIdentity(_FIRST + number, NO_LOGIN) for number in range(4))
ROOT = ActorIdentity(0, NO_LOGIN)
PEOPLE = {"E1": (CLEARED.uid, "secret"), "E2": (TOO_LOW.uid, "internal"), "E3": (BYSTANDER.uid, "secret")}
SECRET = "机密内容\n" * 400
SIZE = len(SECRET.encode())
CANARIES = range(canary_uid.FIRST, canary_uid.LAST + 1)
PATIENCE = 150.0  # seconds a test may take before its agent is killed


class Gate:
    """A child waits at it until its parent opens it. Made before the fork."""

    def __init__(self) -> None:
        self._waiting, self._opening = os.pipe()

    def wait(self) -> None:
        os.read(self._waiting, 1)

    def passed(self) -> bool:
        """Whether it is open, for one who does not wait."""
        return bool(select.select([self._waiting], [], [], 0)[0] and os.read(self._waiting, 1))

    def open(self, times: int = 1) -> None:
        os.write(self._opening, b"." * times)


class Area(NamedTuple):
    """An area to be made: options are words of ``area add``."""

    name: str
    level: str = "secret"
    options: tuple[str, ...] = ()


class Scene:
    """One site with its agent. ``plans`` is its first area, ``public`` a directory of the same volume outside of it."""

    def __init__(self, site: DemoStage) -> None:
        self.site = site
        self.plans = site.root / "plans"
        self.public = site.root / "public"
        self._record = LogPosition(site.home.log)
        self._news: list[dict[str, Any]] = []

    def area(self, area: Area, path: Path) -> None:
        """Bring *path* under protection, and give E1, E2 and E3 a grant for it."""
        words = ("--name", area.name, "--level", area.level, "--domain", "state", *area.options)
        self.site.shoumi("area", "add", str(path), *words)
        with self.asking() as agent:
            for person in PEOPLE:
                agent.call("grant.add", person=person, area=area.name, reason="测试")

    @contextmanager
    def asking(self) -> Iterator[AgentClient]:
        """A connection to the agent, for acts and questions whose command line is not what is tested."""
        with AgentClient(self.site.home, timeout=30) as client:
            yield client

    def shown(self, area: str = "plans") -> dict[str, Any]:
        """Return what the agent says of *area*. By the socket: a command line that is asked again and again costs."""
        with self.asking() as agent:
            found: dict[str, Any] = agent.call("area.show", area=area)
            return found

    def mark(self) -> None:
        """Make :meth:`news` start here."""
        self._record.fresh()
        self._news = []

    def news(self) -> list[dict[str, Any]]:
        """Return the entries recorded since :meth:`mark`."""
        self._news += self._record.fresh()
        return list(self._news)

    def accesses(self, *people: ActorIdentity) -> list[dict[str, Any]]:
        """Return the accesses recorded since :meth:`mark`, which what the agent does by itself may stand between.

        With *people* only theirs, by the file-system uid, which an entry of somebody who was killed meanwhile lacks.
        Not the counts, which come late and may be of before it; not the attempts by which the agent proves a loss; nor
        a canary that tried so late, or in such a moment, that the decider did not know it for the agent's own.
        """
        uids = {who.uid for who in people}
        return [
            entry
            for entry in self.news()
            if entry["kind"] == "access"
            and "repeats" not in entry
            and "own" not in entry
            and entry.get("fsuid") not in CANARIES
            and (not uids or entry.get("fsuid") in uids)
        ]

    def denials(self, *people: ActorIdentity) -> list[dict[str, Any]]:
        """Return those of :meth:`accesses` that were denied."""
        return [entry for entry in self.accesses(*people) if entry["verdict"] == "deny"]

    def settled(self) -> None:
        """Wait until the agent has done what it does by itself with areas that are new, and its log rests.

        For areas on volumes of their own: each is sealed, which is an act and asks about everything once more.
        """

        def rests() -> bool:
            with self.asking() as agent:
                areas = [str(row["name"]) for row in agent.stream("area.list")]
                if not all(agent.call("area.show", area=name)["sealed"] for name in areas):
                    return False
                status = agent.call("status")
            tried = [entry for entry in self.site.entries() if entry["kind"] == "canary"]
            told = {name for entry in tried for name in entry.get("areas", [entry.get("area")])}
            return told >= set(areas) and status["decider"]["epoch"] == status["epoch"]

        until(rests)

    @contextmanager
    def below(self, person: str) -> Iterator[None]:
        """Lower the level of *person* below the areas', and raise it again afterwards. Unlike a hold it ends nobody."""
        self.site.shoumi("person", "set", person, "--level", "state=confidential")
        try:
            yield
        finally:
            self.site.shoumi("person", "set", person, "--level", "state=secret")

    @contextmanager
    def on_hold(self, person: str) -> Iterator[None]:
        """Hold *person* by the command line, and lift the hold afterwards."""
        self.site.shoumi("hold", "add", person, "--reason", "测试")
        try:
            yield
        finally:
            self.site.shoumi("hold", "lift", person, "--reason", "测试")

    def ask(self, op: str) -> list[Any]:
        """Return the items of a question that is answered with a stream."""
        with self.asking() as agent:
            return list(agent.stream(op))

    def replace_decider(self) -> None:
        """Kill the decider; return when another one lives."""
        before = self.site.process("decider")
        os.kill(before, signal.SIGKILL)

        def replaced() -> bool:
            with contextlib.suppress(LookupError, OSError):
                return self.site.process("decider") != before
            return False

        until(replaced)

    def stats(self) -> dict[str, Any]:
        """Return what the decider counts."""
        with self.asking() as agent:
            return dict(agent.call("status")["decider"])

    def grown_quiet(self) -> None:
        """Wait until data passes through open descriptors unasked again."""
        until(lambda: self.stats()["quiet"])

    def serving(self, patience: float = 30.0) -> None:
        """Wait until somebody cleared gets through and the control process answers."""
        until(lambda: attempt(CLEARED, reading(self.plans / "doc.txt"), patience).allowed, patience)
        until(self.answers, patience)

    def answers(self) -> bool:
        """Whether the control process answers."""
        with contextlib.suppress(Exception), self.asking() as agent:
            return bool(agent.call("status"))
        return False

    def stopped(self, name: str) -> contextlib.AbstractContextManager[int]:
        """Stop a process of the agent for the block."""
        return stopped(self.site.process(name))


def until(come: Callable[[], object], patience: float = 30.0) -> None:
    """Ask again and again until it has come true; fail after *patience* seconds."""
    deadline = time.monotonic() + patience
    while not come():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


@contextmanager
def scene(
    areas: Sequence[Area] = (Area("plans"),),
    settings: Sequence[str] = (),
    volume: str = "ext4",
    size: int = 64 << 20,
    stderr: int | None = None,
) -> Iterator[Scene]:
    """A running agent with people, documents and *areas*, one directory of the volume for each."""
    with stage(settings=settings, fstype=volume, size=size) as site:
        made = Scene(site)
        site.stderr = stderr
        for name in (*(area.name for area in areas), "public"):
            folder = site.root / name
            folder.mkdir()
            folder.chmod(0o777)
            for number in range(4):
                write(folder / ("doc.txt" if not number else f"doc{number}.txt"))
        site.start()
        with made.asking() as agent:
            for person, (uid, level) in PEOPLE.items():
                agent.call("person.add", person=person, level=[level], domain="state", account=[uid])
        for area in areas:
            made.area(area, site.root / area.name)
        yield made


def waiting(pid: int) -> int:
    """Return how many threads of *pid* wait inside the kernel where only a deadly signal reaches them."""
    stats = (task / "stat" for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(stat.read_bytes().rpartition(b")")[2].split()[0] == b"D" for stat in stats)


def asked(holder: int) -> int:
    """Return how many questions wait in the groups of *holder* that nobody has read: the kernel's own count."""
    found = 0
    for group in groups(holder):
        found += int.from_bytes(fcntl.ioctl(group, termios.FIONREAD, bytes(4)), sys.byteorder)
    return found // fanotify.METADATA_LENGTH


def groups(holder: int) -> Iterator[int]:
    """Yield a descriptor of each fanotify group of *holder*, which is closed when the next one is asked for."""
    folder = Path(f"/proc/{holder}/fd")
    for name in sorted(os.listdir(folder), key=int):
        with contextlib.suppress(FileNotFoundError):  # one it had for a moment, to start a child
            if os.readlink(folder / name) == "anon_inode:[fanotify]":
                group = syscalls.pidfd_getfd(holder, int(name))
                try:
                    yield group
                finally:
                    os.close(group)


def alive(pid: int) -> bool:
    """Whether a thread of *pid* runs: a zombie that nobody has buried yet does not.

    The first thread may be one before the others have died, and until then what is open stays open: proc_pid_stat(5).
    """
    return any(state not in b"ZX" for state in thread_states(pid))


def writing(path: str | os.PathLike[str], data: bytes = SECRET.encode()) -> int:
    """Make a document, as whoever calls this."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        os.fchmod(fd, 0o666)
        return os.write(fd, data)
    finally:
        os.close(fd)


def error_of(act: Callable[[], object]) -> str:
    """Do *act* and return the name of its error, an empty string when there is none."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    return ""


def write(path: Path, text: str = SECRET) -> Path:
    """Make a document that permissions let everybody read and write. Only where nobody has to be asked."""
    path.write_text(text)
    path.chmod(0o666)
    return path


def refused(site: Scene, at: str | os.PathLike[str], area: str = "plans", **expected: object) -> None:
    """Check that the file *at* a path is closed to the uncleared, with an entry, and open to the cleared."""
    site.mark()
    assert attempt(TOO_LOW, reading(at)) == (None, "EPERM")
    [entry] = site.denials(TOO_LOW)
    assert expected.items() <= entry.items()
    assert (entry["fsuid"], entry["area"], entry["enforced"]) == (TOO_LOW.uid, area, True)
    assert attempt(CLEARED, reading(at)) == (SIZE, "")


@contextmanager
def dead_man(site: DemoStage, patience: float = PATIENCE) -> Iterator[None]:
    """Kill the agent of *site* when the block takes longer than *patience* seconds: nobody stays blocked for ever."""
    timer = threading.Timer(patience, kill_agent, (site,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def kill_agent(site: DemoStage) -> None:
    """Kill the holder and its children, and nothing else. The gate opens: for a failed test and for cleaning up."""
    pids = []
    for name in ("decider", "control"):
        with contextlib.suppress(LookupError, OSError, AssertionError):
            pids.append(site.process(name))
    if site.agent is not None:
        pids.insert(0, site.agent.pid)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
