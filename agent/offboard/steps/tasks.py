"""Which processes are somebody's, as the kernel says it now.

Rules of this file: it looks, it signals nothing, and it keeps nothing between two looks. A process that ends while it
is read is not there; one that may not be read is named, and the look is not complete. Every thread is read, because
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

CHASE = 0.25  # seconds one look follows new processes at the least, once it has seen those that were there
_LENDERS = tuple(map(os.fsencode, guardrails.LENDERS))
_ROUNDS = 32  # and rounds at the least: on a machine that stands still now and then, seconds alone are soon over


def pids() -> list[int]:
    """Return the id of every process there is (thread group leaders)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - in the path of the cut


class Look:
    """One look at every process: iterating yields the living ones that have one of the uids, the login uid included.

    *below*: ranges of further uids (:mod:`agent.offboard.steps.subids`).

    First come the names in ``/proc``, and then, by number, whatever was made meanwhile, until nothing was. Listing
    alone would never see a chain of processes that fork and exit: each is gone before its turn comes. Threads are
    numbered alike: the process of a new one is looked at again, for what it may have become since. ``complete``
    afterwards says that at one instant every process there was had been looked at, ``unread`` which could not be.
    """

    def __init__(self, uids: Collection[int], below: Sequence[range] = ()) -> None:
        self._wanted = frozenset(uids)
        self._below = below
        self.complete = False
        self.unread: set[int] = set()

    def __iter__(self) -> Iterator[Process]:
        newest = _newest()
        yield from self._theirs(pids())  # as long as it takes: they may be many, and the reader slow with each
        until = time.monotonic() + CHASE
        for rounds in itertools.count():
            if rounds >= _ROUNDS and time.monotonic() >= until:
                return
            before, newest = newest, _newest()
            if newest == before:
                self.complete = not self.unread
                return
            if newest < before:  # the numbers started again from the bottom
                yield from self._theirs(pids())
            yield from self._theirs(range(before + 1, newest + 1))

    def _theirs(self, numbers: Iterable[int]) -> Iterator[Process]:
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
        """Return the process *number* if it is one of theirs; add to *threads_of* whose thread it is otherwise."""
        try:
            process = _process(number, self._wanted, threads_of)
        except OSError:
            self.unread.add(number)
            return None
        return process if process is not None and not process.ended and self._has_one(process) else None

    def _has_one(self, process: Process) -> bool:
        found = uids(process)
        if self._wanted & found:
            return True
        return any(uid in some for some in self._below for uid in found if uid is not None)


def owned(uids: Collection[int]) -> Iterator[Process]:
    """Yield the living processes that belong to one of *uids*, as ``stat`` of ``/proc/PID`` says: most of theirs.

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
    """Return what :func:`read` does, of its first thread alone: by that one ``kill(-1)`` goes, kill(2)."""
    try:
        return _process(pid, frozenset(), set(), leader=True)
    except OSError:
        return None


def lenders() -> list[Process]:
    """Return what lends itself to uids (:func:`agent.offboard.guardrails.lends`), each by its first thread.

    What may not be looked at is told as one: nobody can say that it is none.
    """
    found = []
    for pid in pids():
        try:
            if not _may_lend(task_identity.read(f"/proc/{pid}/status")):
                continue
            process = _process(pid, frozenset(), set(), leader=True)
            if process and guardrails.lends(process) and guardrails.lends(_known(process)):
                found.append(process)
        except OSError as error:
            if not task_identity.gone(error):
                found.append(Process(pid, 0, 0, 0, 0, None, name=guardrails.LENDERS[0]))
    return found


def _may_lend(status: bytes) -> bool:
    """Whether a look at the rest is worth it: they are many, and this is in the path of the cut."""
    at = status.find(b"\nUid:\t") + 6
    three = status[at : status.find(b"\n", at)].split()[:3]
    name = status[len(b"Name:\t") : status.find(b"\n")]
    return b"0" in three and (len(set(three)) > 1 or name.startswith(_LENDERS))


def read(pid: int, wanted: AbstractSet[int] | None = None) -> Process | None:
    """Return the process *pid*, or ``None`` when there is none (a thread that is not its process's first is none).

    The executable is read only for a process of one of the uids *wanted*; without *wanted*, for any.
    """
    try:
        return _process(pid, wanted, set())
    except OSError:
        return None


def _process(
    pid: int, wanted: AbstractSet[int] | None, threads_of: set[int], *, leader: bool = False
) -> Process | None:
    """Return what :func:`read` does; raise ``OSError`` for what is there and may not be read.

    Where *pid* is a thread that is not its process's first, the process is added to *threads_of*.
    """
    try:
        status = task_identity.read(f"/proc/{pid}/status")
        group = int(field(status, b"Tgid"))
        if group != pid:
            threads_of.add(group)
            return None
        ruid, euid, suid, fsuid = map(int, field(status, b"Uid").split())
        threads = int(field(status, b"Threads"))
        others: frozenset[TaskIdentity] = task_identity.others(pid) if threads > 1 and not leader else frozenset()
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
            others=others,
        )
    except OSError as error:
        if task_identity.gone(error):
            return None
        raise
    except (KeyError, ValueError):  # it ended meanwhile: a half-gone process has no Uid line
        return None
    if wanted is None or wanted & uids(process):
        return _known(process)._replace(executable=_executable(pid))
    return process


def _known(process: Process) -> Process:
    """Return *process* with what has to be known of a program that is root's and somebody else's at once."""
    if any(map(guardrails.mixed, process.identities)):
        return process._replace(raised=raised(process.pid))
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
                    waiting += map(int, task_identity.read(f"/proc/{pid}/task/{task}/children").split())
    return frozenset(found)


def uids(process: Process) -> set[int | None]:
    """Return every uid that a thread of *process* has in any way; ``None``: one has no login uid."""
    if process.others:
        return {uid for one in process.identities for uid in one}
    return {process.ruid, process.euid, process.suid, process.fsuid, process.login}


def _newest() -> int:
    """Return the number given last, to a process or thread: the fifth field of ``/proc/loadavg`` (proc_loadavg(5))."""
    return int(task_identity.read("/proc/loadavg").split()[4])


def _executable(pid: int) -> str:
    """Return what *pid* runs; where its first thread has ended, what the others say."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/exe").readlink())
    with contextlib.suppress(OSError):  # a kernel thread, or it ended
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - in the path of the cut
            with contextlib.suppress(OSError):
                return str(Path(f"/proc/{pid}/task/{thread}/exe").readlink())
    return ""
