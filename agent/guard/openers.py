"""Who opened what in which server process: what a use of an open file is judged by there (contract C4).

A file server works for many people in one process. Its worker threads have the identity of whoever was current when
they were made, so the thread that reads says nothing; whoever opened the file in that process does.

Rules of this file: only opens by threads that impersonate are kept, and only those that were allowed. Everybody who may
have opened a file there counts, until it has been seen that none of their descriptors is left; where one process has a
file of several people, which descriptor is whose is found by looking at the process before the next open of it is
allowed (:mod:`agent.guard.server_looks`). An open whose descriptor may not be there yet counts on. Forgetting an inode
as a whole is always safe: who uses it then is not known, and is refused. Pure bookkeeping; nanoseconds of the monotonic
clock. Belongs to the loop.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from agent.kernel.program import Program
from agent.kernel.subject import Subject

MOST_OF_ONE = 32_768  # files of one process, and of one account; smbd has 16,404 at the most
MOST = 65_536
_SWEEP_FROM = 512  # files of a process that are worth a look at which of them are still open
_SWEEP_AGAIN = 4096  # more files than that at the last look, at the latest
_RECENT = 64  # opens of one file in one process whose descriptors were not seen yet
_IN_TURN = 64  # processes
LOOK_AGAIN = 100_000_000

Inode = tuple[int, int]


class ServerLook(NamedTuple):
    """What was seen of a process: its descriptors of one inode, and its threads that are inside an open.

    Threads were looked at first. ``told`` is false where there was too much to see.
    """

    descriptors: frozenset[int] = frozenset()
    opening: frozenset[int] = frozenset()
    told: bool = False


class _OpenFile:
    """One inode in one process."""

    __slots__ = ("by_descriptor", "looked", "opened", "recent", "uid")

    def __init__(self, uid: int) -> None:
        self.uid = uid  # who opened it first, to whose share it counts
        self.by_descriptor: dict[int, tuple[Subject, ...]] = {}
        self.recent: list[Subject] = []  # whose descriptors are not known
        self.looked = self.opened = 0

    def everybody(self) -> tuple[Subject, ...]:
        if len(self.recent) == 1 and not self.by_descriptor:
            return (self.recent[0],)
        subjects = [one for some in self.by_descriptor.values() for one in some] + self.recent
        return tuple({identity(one): one for one in subjects}.values())


class _Server:
    """One process, and what is open in it."""

    __slots__ = ("files", "started", "sweep_at")

    def __init__(self, started: int) -> None:
        self.started = started
        self.files: dict[Inode, _OpenFile] = {}
        self.sweep_at = _SWEEP_FROM


_Identity = tuple[int, int | None, bytes, Program | None, bool]


def identity(who: Subject) -> _Identity:
    """Return what verdicts tell apart of *who*."""
    return who.fsuid, who.loginuid, who.executable, who.program, who.let_in


class Openers:
    """The table. *start_time* says when the process with a number was started, ``None`` when there is none."""

    def __init__(self, start_time: Callable[[int], int | None]) -> None:
        self._start_time = start_time
        self._servers: dict[int, _Server] = {}
        self._by_inode: dict[Inode, set[int]] = {}
        self._of_person: Counter[int] = Counter()
        self.dropped: set[Inode] = set()  # of which somebody was forgotten, who may have passed it on
        self.count = 0

    def __bool__(self) -> bool:
        return bool(self._servers)

    def add(self, who: Subject, inode: Inode, moment: int) -> bool:
        """Take note that *who* opens *inode*; ``False`` when there is no room for it."""
        server = self._servers.get(who.tgid)
        if server is None or server.started != who.started:
            self.forget(who.tgid)
            server = self._servers[who.tgid] = _Server(who.started)
        file = server.files.get(inode)
        if file is None:
            if len(server.files) >= MOST_OF_ONE or self._of_person[who.fsuid] >= self._share(who.fsuid):
                return False
            file = server.files[inode] = _OpenFile(who.fsuid)
            self._of_person[who.fsuid] += 1
            self._by_inode.setdefault(inode, set()).add(who.tgid)
            self.count += 1
        file.opened = moment
        if not self._has(file, who):
            file.recent.append(who)
            _shorten(file.recent)
        return True

    def _share(self, uid: int) -> int:
        """Return how many files *uid* may have here: half of what the others have left, and never the last place.

        So one account that fills the table leaves half of it, two a quarter, and so on.
        """
        return min(MOST_OF_ONE, (MOST - self.count + self._of_person[uid]) // 2)

    def has(self, who: Subject, inode: Inode) -> bool:
        """Whether an open of *inode* by this thread of this identity counts already, its descriptor not seen yet."""
        file = self._file(who, inode)
        return file is not None and self._has(file, who)

    def of(self, who: Subject, inode: Inode) -> tuple[Subject, ...]:
        """Return everybody who may have opened *inode* in the process of *who*, each identity once."""
        file = self._file(who, inode)
        return file.everybody() if file else ()

    def of_inode(self, inode: Inode) -> tuple[Subject, ...]:
        """Return everybody who may have *inode* open in any server process."""
        pids = self._by_inode.get(inode)
        if not pids:
            return ()
        return tuple(one for pid in pids for one in self._servers[pid].files[inode].everybody())

    def knows(self, pid: int, inode: Inode) -> bool:
        """Whether it is known who opened *inode* in process *pid*."""
        server = self._servers.get(pid)
        return server is not None and inode in server.files and self._start_time(pid) == server.started

    def wants_look(self, who: Subject, inode: Inode) -> bool:
        """Whether the process is to be looked at before *who* may open *inode* there: somebody else has it open."""
        file = self._file(who, inode)
        return file is not None and any(identity(one) != identity(who) for one in file.everybody())

    def wants_another(self, who: Subject, inode: Inode, moment: int) -> bool:
        """Whether it is time to look who of several people still has *inode* open in the process of *who*."""
        file = self._file(who, inode)
        return file is not None and moment - file.looked >= LOOK_AGAIN and len(file.everybody()) > 1

    def looked(self, who: Subject, inode: Inode, look: ServerLook, moment: int) -> None:
        """Take what a look at the process of *who* has shown, who waits in it now."""
        file = self._file(who, inode)
        if file is None or not look.told:
            return
        file.looked = moment
        # A thread that is not inside an open, or that asks us now, has the descriptors of all its earlier ones.
        whole = [one for one in file.recent if one.tid == who.tid or one.tid not in look.opening]
        before = len(file.everybody())
        every = tuple({identity(one): one for one in file.recent}.values())
        every = every or file.everybody()
        known = {number: whose for number, whose in file.by_descriptor.items() if number in look.descriptors}
        file.by_descriptor = known | {number: every for number in look.descriptors if number not in known}
        file.recent = [one for one in file.recent if one not in whole]
        if len(file.everybody()) < before:
            self.dropped.add(inode)

    def sweepable(self) -> Iterator[tuple[int, tuple[Inode, ...]]]:
        """Yield processes that have grown, and their files: which of them are still open is worth a look."""
        for pid, server in self._servers.items():
            if len(server.files) >= server.sweep_at:
                yield pid, tuple(server.files)

    def swept(self, pid: int, closed: Iterable[Inode], before: int, *, more: bool = False) -> int:
        """Forget the files *closed* that nobody opened in process *pid* since *before*; return how many these were.

        *more* are closed, too.
        """
        server = self._servers.get(pid)
        if server is None:
            return 0
        known = len(server.files)
        for inode in closed:
            if (file := server.files.get(inode)) and file.opened < before:
                self._drop(pid, server, inode)
        left = len(server.files)
        server.sweep_at = left if more else max(_SWEEP_FROM, min(2 * left, left + _SWEEP_AGAIN))
        self._servers[pid] = self._servers.pop(pid)  # the next one has its turn
        return known - left

    def forget_ended(self) -> None:
        """Forget processes that are no more; so many are looked at in one call, in turn."""
        for pid in tuple(islice(self._servers, _IN_TURN)):
            if self._start_time(pid) != self._servers[pid].started:
                self.forget(pid)
            else:
                self._servers[pid] = self._servers.pop(pid)

    def forget(self, pid: int) -> None:
        """Forget everything of process *pid*."""
        server = self._servers.get(pid)
        if server is not None:
            for inode in tuple(server.files):
                self._drop(pid, server, inode)
            self._servers.pop(pid, None)

    def everything(self) -> Iterator[tuple[Inode, Subject]]:
        """Yield every open that counts."""
        for server in self._servers.values():
            for inode, file in server.files.items():
                for one in file.everybody():
                    yield inode, one

    def _file(self, who: Subject, inode: Inode) -> _OpenFile | None:
        server = self._servers.get(who.tgid)
        if server is None or (file := server.files.get(inode)) is None:
            return None
        return file if (who.started or self._start_time(who.tgid)) == server.started else None

    @staticmethod
    def _has(file: _OpenFile, who: Subject) -> bool:
        return any(one.tid == who.tid and identity(one) == identity(who) for one in file.recent)

    def _drop(self, pid: int, server: _Server, inode: Inode) -> None:
        uid = server.files.pop(inode).uid
        self.dropped.add(inode)
        self.count -= 1
        self._of_person[uid] -= 1
        if not self._of_person[uid]:
            del self._of_person[uid]
        pids = self._by_inode[inode]
        pids.discard(pid)
        if not pids:
            del self._by_inode[inode]


def _shorten(recent: list[Subject]) -> None:
    """Keep a server with a thread for each request from filling the list: of one identity the newest opens count."""
    if len(recent) > _RECENT:
        newer: set[_Identity] = set()
        again = [place for place in range(len(recent) - 1, -1, -1) if _is_again(identity(recent[place]), newer)]
        if again:
            del recent[again[-1]]


def _is_again(one: _Identity, seen: set[_Identity]) -> bool:
    known = one in seen
    seen.add(one)
    return known


def judged_by(thread: Subject, openers: Collection[Subject]) -> tuple[Subject, ...] | None:
    """Return everybody by whose rights the use of an open file is judged; ``None`` when that cannot be told.

    The thread counts as well, unless it impersonates or is root: then it works for whoever opened the file.
    """
    if not openers:
        return None if thread.impersonates else (thread,)
    if thread.impersonates or not thread.fsuid:
        return tuple(openers)
    return (*openers, thread)
