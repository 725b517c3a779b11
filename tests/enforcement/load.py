"""Openers at work, and what they got: enough is written down to hold every single open against the log.

Rules of this file: an opener that gets a file open writes the wall time before and after, and which file it was. The
opens of one process do not overlap, so each one must find an entry of its own in the log, by process, file and time:
one entry missing cannot be hidden by one too many elsewhere. The deaths of an agent may deny anybody; they may never
allow anybody, and nobody may get a file that the log does not have.
"""

import collections
import contextlib
import os
import random
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agent.demo.actors import ActorIdentity, acting
from tests.enforcement.scene import BYSTANDER, CLEARED, NO_LOGIN, TOO_LOW, UNKNOWN

_OPENED = struct.Struct("=qqii")  # before, after (ns since 1970), pid, number of the file
_PAUSE = 0.001  # seconds between two opens of one opener

# Half of them may open the files of the area, each in a way of its own, and half may not.
ALLOWED = (CLEARED, BYSTANDER, ActorIdentity(0, CLEARED.uid), ActorIdentity(CLEARED.uid, BYSTANDER.uid))
FORBIDDEN = (TOO_LOW, UNKNOWN, ActorIdentity(0, NO_LOGIN), ActorIdentity(CLEARED.uid, TOO_LOW.uid))


class Opened(NamedTuple):
    """One open that succeeded."""

    before: int
    after: int
    pid: int
    path: str


class Load:
    """Eight openers on *paths*, and what those with clearance (``right``) and those without (``wrong``) got open."""

    def __init__(self, paths: list[str], right: int, wrong: int) -> None:
        self._paths = paths
        self._right = right
        self._wrong = wrong

    def count(self) -> int:
        """Return how many opens of the cleared succeeded so far."""
        return os.fstat(self._right).st_size // _OPENED.size

    def opened(self) -> list[Opened]:
        """Return what the cleared got open so far."""
        return list(self._read(self._right))

    def wrongly_opened(self) -> list[Opened]:
        """Return what the others got open so far."""
        return list(self._read(self._wrong))

    def _read(self, report: int) -> Iterator[Opened]:
        for before, after, pid, number in _OPENED.iter_unpack(os.pread(report, os.fstat(report).st_size, 0)):
            yield Opened(before, after, pid, self._paths[number])


@contextmanager
def load(paths: Iterable[str | os.PathLike[str]], pause: float = _PAUSE, program: Path | None = None) -> Iterator[Load]:
    """Eight openers that go on until the end of the block. What they got can be read afterwards, too.

    *program* is an opener in C (``tests/long/opener.c``), which does the same and is faster at it.
    """
    names = [os.fspath(path) for path in paths]
    reports = [_report(), _report()]
    with ExitStack() as stack:
        for people, report in zip((ALLOWED, FORBIDDEN), reports, strict=True):
            for who in people:
                act = _opener(names, report, pause) if program is None else _program(program, names, report, pause)
                stack.enter_context(acting(who, act))
        yield Load(names, *reports)


def _report() -> int:
    """Return a descriptor of a file in memory that several processes append to."""
    path = f"/proc/self/fd/{os.memfd_create('opened')}"
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)


def _opener(paths: list[str], report: int, pause: float) -> Callable[[Callable[[object], None]], None]:
    def act(_say: Callable[[object], None]) -> None:
        pid, chance = os.getpid(), random.Random(os.getpid())
        while True:
            time.sleep(pause)  # for what must start again beside us
            number = chance.randrange(len(paths))
            before = time.time_ns()
            try:
                fd = os.open(paths[number], os.O_RDONLY)
            except OSError:  # EPERM from whoever answers, EACCES or ENOENT where the area is hidden
                continue
            os.write(report, _OPENED.pack(before, time.time_ns(), pid, number))
            with contextlib.suppress(PermissionError):
                os.read(fd, 16)  # the other group of events has its share
            os.close(fd)

    return act


def _program(program: Path, paths: list[str], report: int, pause: float) -> Callable[[Callable[[object], None]], None]:
    def act(_say: Callable[[object], None]) -> None:
        listed = os.memfd_create("paths", 0)
        os.write(listed, "".join(f"{path}\n" for path in paths).encode())
        os.set_inheritable(report, True)
        os.execv(program, [str(program), str(report), str(int(pause * 1e6)), f"/proc/self/fd/{listed}"])

    return act


def unrecorded(opened: Iterable[Opened], entries: Iterable[dict[str, Any]]) -> list[Opened]:
    """Return those opens that no entry of the log allowed: its process, its file, and a time within the open."""
    allowed: dict[tuple[int, str], list[int]] = collections.defaultdict(list)
    for entry in entries:
        if entry.get("action") == "open" and entry["verdict"] == "allow":
            allowed[entry["pid"], entry["path"]].append(_microseconds(entry["time"]))
    return [
        one
        for one in opened
        if not any(one.before // 1000 <= at <= one.after // 1000 for at in allowed[one.pid, one.path])
    ]


def _microseconds(stamp: str) -> int:
    moment = datetime.fromisoformat(stamp)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
