"""Processes of given uids, as the kernel reports them now.

Rules of this file: it reads, it signals nothing, and it keeps nothing between two scans. A process that ends while it
is read is not there; one that may not be read is named, and the scan is not complete. Every thread is read, because
each has uids of its own (:mod:`agent.kernel.task_identity`). psutil knows neither the filesystem uid nor the login uid,
and lists without the chase below.

Sources: proc_pid_status(5), proc_pid_loginuid(5).
"""

import contextlib
import itertools
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from agent.kernel import task_identity
from agent.kernel.task_identity import TaskIdentity, field
from agent.offboard import guardrails
from agent.offboard.guardrails import Process
from agent.offboard.steps.raised import raised

CHASE = 0.25  # seconds one scan follows new processes at the least, once it has read the existing ones
_LENDERS = tuple(map(os.fsencode, guardrails.LENDERS))
_ROUNDS = 32  # and rounds at the least: on a machine that stands still now and then, seconds alone are soon over


def pids() -> list[int]:
    """Return the id of every process there is (thread group leaders)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - in the path of the cut


class Look:
    """One scan of every process: iterating yields the living ones with one of the uids, the login uid included.

    *below*: ranges of further uids (:mod:`agent.offboard.steps.subids`). First come the names in ``/proc``, and then,
    by number, the processes made meanwhile, until there are no more. Listing alone would never see a chain of processes
    that fork and exit: each is gone before its turn comes. Threads are numbered alike: the process of a new one is read
    again, because its uids may have changed since. ``complete`` afterwards means that at one instant every existing
    process had been read, ``unread`` names those that could not be.
    """

    def __init__(self, uids: Collection[int], below: Sequence[range] = ()) -> None:
        self._wanted = frozenset(uids)
        self._below = below
        self.complete = False
        self.unread: set[int] = set()

    def __iter__(self) -> Iterator[Process]:
        newest = _newest()
        yield from self._owned_among(pids())  # as long as it takes: they may be many, and the reader slow with each
        until = time.monotonic() + CHASE
        for rounds in itertools.count():
            if rounds >= _ROUNDS and time.monotonic() >= until:
                return
            before, newest = newest, _newest()
            if newest == before:
                self.complete = not self.unread
                return
            if newest < before:  # the numbers started again from the bottom
                yield from self._owned_among(pids())
            yield from self._owned_among(range(before + 1, newest + 1))

    def _owned_among(self, numbers: Iterable[int]) -> Iterator[Process]:
        threads_of: set[int] = set()
        for number in numbers:
            process = self._read(number, threads_of)
            if process is not None:
                yield process
        for number in sorted(threads_of):
            process = self._read(number, set())
            if process is not None:
                yield process

    def _read(self, number: int, threads_of: set[int]) -> Process | None:
        """Return the process *number* if it has one of the uids; if it is a thread, add its process to *threads_of*."""
        try:
            process = _process(number, self._wanted, threads_of)
        except OSError:
            self.unread.add(number)
            return None
        return process if process is not None and not process.ended and self._has_one(process) else None

    def _has_one(self, process: Process) -> bool:
        process_uids = uids(process)
        if self._wanted & process_uids:
            return True
        return any(uid in uid_range for uid_range in self._below for uid in process_uids if uid is not None)


def owned(uids: Collection[int]) -> Iterator[Process]:
    """Yield the living processes that belong to one of *uids* by ``stat`` of ``/proc/PID``: most of theirs.

    A process that has changed its uids belongs to root (PR_SET_DUMPABLE(2const)); :class:`Look` finds it.
    """
    for pid in pids():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid in uids:  # noqa: PTH116 - in the path of the cut
                process = read(pid)
                if process is not None and not process.ended:
                    yield process


def scan(uids: Collection[int]) -> list[Process]:
    """Return every living process that has one of *uids* anywhere; see :class:`Look`."""
    return list(Look(uids))


def leader(pid: int) -> Process | None:
    """Return what :func:`read` does, of its first thread alone, which decides for ``kill(-1)``, kill(2)."""
    try:
        return _process(pid, frozenset(), set(), leader=True)
    except OSError:
        return None


def lenders() -> list[Process]:
    """Return the processes that lend themselves to uids (:func:`agent.offboard.guardrails.lends`), by the first thread.

    An unreadable process counts as one, because the opposite cannot be shown.
    """
    processes = []
    for pid in pids():
        try:
            if not _may_lend(task_identity.read(f"/proc/{pid}/status")):
                continue
            process = _process(pid, frozenset(), set(), leader=True)
            if process and guardrails.lends(process) and guardrails.lends(_with_raised(process)):
                processes.append(process)
        except OSError as error:
            if not task_identity.gone(error):
                processes.append(Process(pid, 0, 0, 0, 0, None, name=guardrails.LENDERS[0]))
    return processes


def _may_lend(status: bytes) -> bool:
    """Whether reading the rest is worthwhile: processes are many, and this is in the path of the cut."""
    at = status.find(b"\nUid:\t") + 6
    three = status[at : status.find(b"\n", at)].split()[:3]
    name = status[len(b"Name:\t") : status.find(b"\n")]
    return b"0" in three and (len(set(three)) > 1 or name.startswith(_LENDERS))


def read(pid: int, wanted: AbstractSet[int] | None = None) -> Process | None:
    """Return the process *pid*, ``None`` when there is none (a thread other than its process's first is none).

    The executable is read only for a process of one of the uids *wanted*; without *wanted*, for any.
    """
    try:
        return _process(pid, wanted, set())
    except OSError:
        return None


def _process(
    pid: int, wanted: AbstractSet[int] | None, threads_of: set[int], *, leader: bool = False
) -> Process | None:
    """Return what :func:`read` does; raise ``OSError`` for a process that may not be read.

    Where *pid* is a thread other than its process's first, the process is added to *threads_of*.
    """
    try:
        status = task_identity.read(f"/proc/{pid}/status")
        group = int(field(status, b"Tgid"))
        if group != pid:
            threads_of.add(group)
            return None
        ruid, euid, suid, fsuid = map(int, field(status, b"Uid").split())
        threads = int(field(status, b"Threads"))
        other_threads: frozenset[TaskIdentity] = (
            task_identity.others(pid) if threads > 1 and not leader else frozenset()
        )
        process = Process(
            pid=pid,
            ruid=ruid,
            euid=euid,
            suid=suid,
            fsuid=fsuid,
            login=task_identity.login_uid(f"/proc/{pid}"),
            state=field(status, b"State")[:1].decode(),
            threads=threads,
            name=os.fsdecode(status[len(b"Name:\t") : status.index(b"\n")]),
            parent=int(field(status, b"PPid")),
            other_threads=other_threads,
        )
    except OSError as error:
        if task_identity.gone(error):
            return None
        raise
    except (KeyError, ValueError):  # it ended meanwhile: a half-gone process has no Uid line
        return None
    if wanted is None or wanted & uids(process):
        return _with_raised(process)._replace(executable=_executable(pid))
    return process


def _with_raised(process: Process) -> Process:
    """Return *process* with ``raised`` set, if it is root's and another user's at once."""
    if any(map(guardrails.mixed, process.identities)):
        return process._replace(raised=raised(process.pid))
    return process


def family(roots: Iterable[int]) -> frozenset[int]:
    """Return *roots* and all their living descendants (proc_pid_children(5)).

    For the agent's own processes: a start by ``sudo`` leaves a login uid on all of them. PID 1 is no root here:
    everything is below it, and an agent whose parent has died must not count every process as its own.
    """
    members: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid > 1 and pid not in members:
            members.add(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
                    waiting += map(int, task_identity.read(f"/proc/{pid}/task/{task}/children").split())
    return frozenset(members)


def uids(process: Process) -> set[int | None]:
    """Return every uid that a thread of *process* has in any way; ``None``: one has no login uid."""
    if process.other_threads:
        return {uid for identity in process.identities for uid in identity}
    return {process.ruid, process.euid, process.suid, process.fsuid, process.login}


def _newest() -> int:
    """Return the number assigned last, to a process or thread: field 5 of ``/proc/loadavg`` (proc_loadavg(5))."""
    return int(task_identity.read("/proc/loadavg").split()[4])


def _executable(pid: int) -> str:
    """Return the executable of *pid*; where its first thread has ended, that of another thread."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/exe").readlink())
    with contextlib.suppress(OSError):  # a kernel thread, or it ended
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
            with contextlib.suppress(OSError):
                return str(Path(f"/proc/{pid}/task/{thread}/exe").readlink())
    return ""
