"""Which processes are somebody's, as the kernel says it now.

Rules of this file: it looks, it signals nothing, and it keeps nothing between two looks. A process that ends while it
is read is not there. psutil knows neither the filesystem uid nor the login uid, and lists without the chase below.
Sources: proc_pid_status(5), proc_pid_loginuid(5).
"""

import contextlib
import itertools
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from agent.offboard.guardrails import Process

_UNSET = 0xFFFFFFFF
CHASE = 0.25  # seconds one look follows new processes at the least, once it has seen those that were there
_ROUNDS = 32  # and rounds at the least: on a machine that stands still now and then, seconds alone are soon over
_FIELDS = re.compile(rb"^(Name|State|Tgid|Uid|Threads):\t(.*)$", re.MULTILINE)


def pids() -> list[int]:
    """Return the id of every process there is (thread group leaders)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - in the path of the cut


class Look:
    """One look at every process: iterating yields the living ones that have one of the uids, the login uid included.

    *below*: ranges of further uids (:mod:`agent.offboard.steps.subids`).

    First come the names in ``/proc``, and then, by number, whatever was made meanwhile, until nothing was. Listing
    alone would never see a chain of processes that fork and exit: each is gone before its turn comes. ``complete``
    afterwards says that at one instant every process there was had been looked at.
    """

    def __init__(self, uids: Collection[int], below: Sequence[range] = ()) -> None:
        self._wanted = frozenset(uids)
        self._below = below
        self.complete = False

    def __iter__(self) -> Iterator[Process]:
        newest = _newest()
        yield from self._theirs(pids())  # as long as it takes: they may be many, and the reader slow with each
        until = time.monotonic() + CHASE
        for rounds in itertools.count():
            if rounds >= _ROUNDS and time.monotonic() >= until:
                return
            before, newest = newest, _newest()
            if newest == before:
                self.complete = True
                return
            if newest < before:  # the numbers started again from the bottom
                yield from self._theirs(pids())
            yield from self._theirs(range(before + 1, newest + 1))

    def _theirs(self, numbers: Iterable[int]) -> Iterator[Process]:
        for pid in numbers:
            process = read(pid, self._wanted)
            if process is not None and not process.ended and self._has_one(process):
                yield process

    def _has_one(self, process: Process) -> bool:
        uids = _uids(process)
        return bool(self._wanted & uids) or any(uid in some for some in self._below for uid in uids if uid is not None)


def scan(uids: Collection[int]) -> list[Process]:
    """Return every living process that has one of *uids* anywhere; see :class:`Look`."""
    return list(Look(uids))


def read(pid: int, wanted: AbstractSet[int] | None = None) -> Process | None:
    """Return the process *pid*, or ``None`` when there is none (a thread that is not its process's first is none).

    The executable is read only for a process of one of the uids *wanted*; without *wanted*, for any.
    """
    try:
        status = dict(_FIELDS.findall(_bytes(f"/proc/{pid}/status")))
        if int(status[b"Tgid"]) != pid:
            return None
        login = int(_bytes(f"/proc/{pid}/loginuid"))
        ruid, euid, suid, fsuid = map(int, status[b"Uid"].split())
        process = Process(
            pid=pid,
            ruid=ruid,
            euid=euid,
            suid=suid,
            fsuid=fsuid,
            login=None if login == _UNSET else login,
            state=status[b"State"][:1].decode(),
            threads=int(status[b"Threads"]),
            name=os.fsdecode(status[b"Name"]),
        )
    except (OSError, KeyError, ValueError):  # it ended meanwhile: a half-gone process has no Uid line
        return None
    if wanted is None or wanted & _uids(process):
        return process._replace(executable=_executable(pid))
    return process


def family(roots: Iterable[int]) -> frozenset[int]:
    """Return *roots* and everything below them that still is somebody's child there (proc_pid_children(5)).

    For the agent's own processes: whoever started it by ``sudo`` has left a login uid on all of them. PID 1 is nobody's
    root here: everything is below it, and an agent whose parent has died must not take everybody for its own.
    """
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid > 1 and pid not in found:
            found.add(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
                    waiting += map(int, _bytes(f"/proc/{pid}/task/{task}/children").split())
    return frozenset(found)


def _uids(process: Process) -> set[int | None]:
    return {process.ruid, process.euid, process.suid, process.fsuid, process.login}


def _newest() -> int:
    """Return the number given last, to a process or thread: the fifth field of ``/proc/loadavg`` (proc_loadavg(5))."""
    return int(_bytes("/proc/loadavg").split()[4])


def _executable(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:  # a kernel thread, or it ended
        return ""


def _bytes(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 8192)
    finally:
        os.close(fd)
