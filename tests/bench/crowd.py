"""A site at full size: 10,000 people, 1,000 areas, and the decider alone; the bench plays holder and control process.

Rules of this file: the decider is the real one, started as the holder starts it, over a registry made by the registry's
own writing side. When this process ends, however it ends, its groups close and every blocked opener goes on.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from agent import shipped_packs
from agent.demo.parting import end_with_parent
from agent.guard import heartbeat
from agent.kernel import fanotify
from agent.registry.migrations import migrate
from agent.registry.store import Registry
from agent.runtime import channel
from agent.runtime.home import Home
from agent.simulator import volume_image
from rules.model import Clearance, Level

PEOPLE, AREAS = 10_000, 1_000
_GRANTS = 5  # per person
_FIRST_UID = 100_000
_START_SECONDS = 30.0
_DECIDER = (sys.executable, "-I", "-m", "agent.guard.decider")
_setfsuid = ctypes.CDLL(None, use_errno=True).setfsuid


class Crowd:
    """The site: first ``build``, then ``guard``, then ``start``."""

    def __init__(self, home: Home, volume: volume_image.Volume, stack: ExitStack) -> None:
        self._stack = stack
        self._volume = volume
        self.home = home
        self._words: dict[str, int] = {}
        self._decider: subprocess.Popen[bytes] | None = None
        self._client: channel.ChannelClient | None = None

    def build(self) -> None:
        """Make directories, people, areas and grants."""
        for number in range(AREAS):
            folder = self._volume.point / f"a{number:04d}"
            folder.mkdir(mode=0o755)
            (folder / "计划.txt").write_text("机密\n")
        self.home.create()
        self.home.pack.write_text(shipped_packs.text("minimal"), encoding="utf-8")
        migrate(self.home.registry)
        with Registry(self.home.registry) as registry, registry.change(_past()) as change:
            secret = (Clearance("state", Level.SECRET, "", "officer"),)
            for number in range(AREAS):
                path = str(self._volume.point / f"a{number:04d}")
                change.areas.add(_area(number), path=path, level=Level.SECRET, domain="state", volume={"shared": False})
            for number in range(PEOPLE):
                department = f"部门{number % 50}"
                change.people.add(_person(number), name=f"员工{number}", department=department, clearances=secret)
                change.accounts.add(_FIRST_UID + number, _person(number))
                for step in range(_GRANTS):
                    area = _area((number + step * 199) % AREAS)
                    change.grants.add(_person(number), area, reason="项目甲", approver="officer")

    def guard(self) -> None:
        """Make what the holder makes: the groups, the mark, the channel, the heartbeat page."""
        groups = {"open": fanotify.init(), "access": fanotify.init()}
        ours, theirs = channel.pair()
        life, held = os.pipe()
        self._words = {**groups, "channel": theirs.fileno(), "life": life, "heartbeat": heartbeat.create()}
        for fd in (*groups.values(), life, held, self._words["heartbeat"]):
            self._stack.callback(os.close, fd)
        self._stack.callback(theirs.close)
        self._stack.callback(ours.close)
        self._client = channel.ChannelClient(ours)
        whole = fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM
        fanotify.mark(groups["open"], whole, fanotify.FAN_OPEN_PERM | fanotify.FAN_ONDIR, self._volume.point)
        self._stack.callback(self._end)

    def start(self) -> int:
        """Start the decider, a new one if there was one, and wait until it decides; return the nanoseconds it took."""
        assert self._client is not None
        self._end()
        begun = time.perf_counter_ns()
        self._decider = subprocess.Popen(
            [*_DECIDER, str(self.home.root), "process", *(f"{name}={fd}" for name, fd in self._words.items())],
            pass_fds=tuple(self._words.values()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGKILL),
        )
        deadline = time.monotonic() + _START_SECONDS
        while not any(message.get("op") == "hello" for message in self._client.poll()):  # it may say others before
            if not select.select([self._client], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise OSError("the decider did not start")
        return time.perf_counter_ns() - begun

    def change(self, number: int) -> tuple[int, int]:
        """Put person *number* on hold; return how long committing took, and the decider's acknowledgement after it."""
        assert self._client is not None
        begun = time.perf_counter_ns()
        with Registry(self.home.registry) as registry, registry.change(datetime.now(UTC)) as change:
            change.holds.add(_person(number), reason="核查", by="officer")
            epoch = change.epoch
        committed = time.perf_counter_ns()
        answer = self._client.ask({"op": "epoch", "epoch": epoch})
        acknowledged = time.perf_counter_ns()
        if answer.get("epoch") != epoch:
            raise OSError(f"the decider acknowledged {answer.get('epoch')}, not {epoch}")
        return committed - begun, acknowledged - committed

    def visits(self, order: bytes) -> int:
        """Be as many person-area pairs as told, no two alike, and open the area's file; return how many got in."""
        allowed = 0
        for pair in range(int(order)):
            number, round_ = pair % PEOPLE, pair // PEOPLE
            area = (number + round_ * 199) % AREAS
            _setfsuid(_FIRST_UID + number)
            try:
                os.close(os.open(self._volume.point / f"a{area:04d}" / "计划.txt", os.O_RDONLY | os.O_CLOEXEC))
                allowed += 1
            except PermissionError:
                pass
        return allowed

    def memory(self) -> dict[str, float]:
        """Return the decider's memory in MB: ``Pss``, ``Rss``."""
        assert self._decider is not None
        lines = Path(f"/proc/{self._decider.pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return {name: sizes[name] * 1024 / 1e6 for name in ("Pss", "Rss")}

    def stats(self) -> Any:
        """Return the decider's own counters."""
        assert self._client is not None
        return self._client.ask({"op": "stats"})["stats"]

    def _end(self) -> None:
        if self._decider is not None:
            self._decider.kill()
            self._decider.wait()
            self._decider = None


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Make the site; stop and remove everything on leaving. Nothing is built or started yet."""
    with volume_image.volume() as volume, ExitStack() as stack:
        volume.point.chmod(0o755)
        yield Crowd(Home.at(volume.folder / "site"), volume, stack)


def _person(number: int) -> str:
    return f"E{number:05d}"


def _area(number: int) -> str:
    return f"area-{number:04d}"


def _past() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)
