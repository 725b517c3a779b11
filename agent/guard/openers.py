"""Openers: the people who opened files in server processes, by whose rights uses of open files are judged (contract
C4).

A file server works for many people in one process. Its worker threads have the identity that was current when they were
created, so the reading thread identifies no person; the opener of the file in that process does.

Rules of this file: only opens by threads that impersonate are kept, and only those that were allowed. Every possible
opener of a file there counts, until none of their descriptors is seen any more; where several people have one file open
in a process, the owners of its descriptors are found by inspecting the process before its next open is allowed
(:mod:`agent.guard.server_looks`). An open whose descriptor may not exist yet counts on. Forgetting an inode as a whole
is always safe: its users are then unknown, and denied. Pure bookkeeping; nanoseconds of the monotonic clock. Belongs to
the loop.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from agent.kernel.program import Program
from agent.kernel.subject import Subject

MOST_OF_ONE = 32_768  # files of one process, and of one account; smbd has 16,404 at the most
MOST = 65_536
_SWEEP_FROM = 512  # files of a process from which the open ones are checked
_SWEEP_AGAIN = 4096  # more files than at the last check, at the latest
_RECENT = 64  # opens of one file in one process whose descriptors are not seen yet
_IN_TURN = 64  # processes
LOOK_AGAIN = 100_000_000

Inode = tuple[int, int]


class ServerLook(NamedTuple):
    """The result of inspecting a process: its descriptors of one inode, and its threads inside an open.

    Threads were inspected first. ``complete`` is false where there was too much to inspect.
    """

    descriptors: frozenset[int] = frozenset()
    opening: frozenset[int] = frozenset()
    complete: bool = False


class _OpenFile:
    """One inode in one process."""

    __slots__ = ("by_descriptor", "inspected", "opened", "recent", "uid")

    def __init__(self, uid: int) -> None:
        self.uid = uid  # its first opener, to whose share it counts
        self.by_descriptor: dict[int, tuple[Subject, ...]] = {}
        self.recent: list[Subject] = []  # openers whose descriptors are not known
        self.inspected = self.opened = 0

    def everybody(self) -> tuple[Subject, ...]:
        if len(self.recent) == 1 and not self.by_descriptor:
            return (self.recent[0],)
        subjects = [opener for group in self.by_descriptor.values() for opener in group] + self.recent
        return tuple({identity(opener): opener for opener in subjects}.values())


class _Server:
    """One process, and its open files."""

    __slots__ = ("files", "started", "sweep_at")

    def __init__(self, started: int) -> None:
        self.started = started
        self.files: dict[Inode, _OpenFile] = {}
        self.sweep_at = _SWEEP_FROM


_Identity = tuple[int, int | None, bytes, Program | None, bool]


def identity(subject: Subject) -> _Identity:
    """Return the parts of *subject* that verdicts distinguish."""
    return subject.fsuid, subject.loginuid, subject.executable, subject.program, subject.let_in


class Openers:
    """The table. *start_time* returns the start time of a process by its number, ``None`` when there is none."""

    def __init__(self, start_time: Callable[[int], int | None]) -> None:
        self._start_time = start_time
        self._servers: dict[int, _Server] = {}
        self._by_inode: dict[Inode, set[int]] = {}
        self._of_person: Counter[int] = Counter()
        self.dropped: set[Inode] = set()  # inodes of forgotten openers, who may have passed them on
        self.count = 0

    def __bool__(self) -> bool:
        return bool(self._servers)

    def add(self, subject: Subject, inode: Inode, moment: int) -> bool:
        """Record that *subject* opens *inode*; ``False`` when there is no room for it."""
        server = self._servers.get(subject.tgid)
        if server is None or server.started != subject.started:
            self.forget(subject.tgid)
            server = self._servers[subject.tgid] = _Server(subject.started)
        file = server.files.get(inode)
        if file is None:
            if len(server.files) >= MOST_OF_ONE or self._of_person[subject.fsuid] >= self._share(subject.fsuid):
                return False
            file = server.files[inode] = _OpenFile(subject.fsuid)
            self._of_person[subject.fsuid] += 1
            self._by_inode.setdefault(inode, set()).add(subject.tgid)
            self.count += 1
        file.opened = moment
        if not self._has(file, subject):
            file.recent.append(subject)
            _shorten(file.recent)
        return True

    def _share(self, uid: int) -> int:
        """Return the number of files *uid* may have here: half of what the others have left, and never the last place.

        So one account that fills the table leaves half of it, two a quarter, and so on.
        """
        return min(MOST_OF_ONE, (MOST - self.count + self._of_person[uid]) // 2)

    def has(self, subject: Subject, inode: Inode) -> bool:
        """Return whether an open of *inode* by this thread and identity counts already, without a descriptor yet."""
        file = self._file(subject, inode)
        return file is not None and self._has(file, subject)

    def of(self, subject: Subject, inode: Inode) -> tuple[Subject, ...]:
        """Return all possible openers of *inode* in the process of *subject*, each identity once."""
        file = self._file(subject, inode)
        return file.everybody() if file else ()

    def of_inode(self, inode: Inode) -> tuple[Subject, ...]:
        """Return all possible openers of *inode* in any server process."""
        pids = self._by_inode.get(inode)
        if not pids:
            return ()
        return tuple(opener for pid in pids for opener in self._servers[pid].files[inode].everybody())

    def knows(self, pid: int, inode: Inode) -> bool:
        """Return whether the opener of *inode* in process *pid* is known."""
        server = self._servers.get(pid)
        return server is not None and inode in server.files and self._start_time(pid) == server.started

    def wants_look(self, subject: Subject, inode: Inode) -> bool:
        """Return whether the process must be inspected before *subject* opens *inode*: another person has it open."""
        file = self._file(subject, inode)
        return file is not None and any(identity(opener) != identity(subject) for opener in file.everybody())

    def wants_another(self, subject: Subject, inode: Inode, moment: int) -> bool:
        """Return whether to inspect again which of several people still has *inode* open there."""
        file = self._file(subject, inode)
        return file is not None and moment - file.inspected >= LOOK_AGAIN and len(file.everybody()) > 1

    def take_look(self, subject: Subject, inode: Inode, server_look: ServerLook, moment: int) -> None:
        """Apply the inspection of the process of *subject*, which waits in it now."""
        file = self._file(subject, inode)
        if file is None or not server_look.complete:
            return
        file.inspected = moment
        # A thread that is not inside an open, or that waits for this one, has the descriptors of all its earlier opens.
        whole = [opener for opener in file.recent if opener.tid == subject.tid or opener.tid not in server_look.opening]
        before = len(file.everybody())
        every = tuple({identity(opener): opener for opener in file.recent}.values())
        every = every or file.everybody()
        seen_before = {
            number: whose for number, whose in file.by_descriptor.items() if number in server_look.descriptors
        }
        file.by_descriptor = seen_before | {
            number: every for number in server_look.descriptors if number not in seen_before
        }
        file.recent = [opener for opener in file.recent if opener not in whole]
        if len(file.everybody()) < before:
            self.dropped.add(inode)

    def sweepable(self) -> Iterator[tuple[int, tuple[Inode, ...]]]:
        """Yield processes that have grown, with their files, to check which are still open."""
        for pid, server in self._servers.items():
            if len(server.files) >= server.sweep_at:
                yield pid, tuple(server.files)

    def swept(self, pid: int, closed: Iterable[Inode], before: int, *, more: bool = False) -> int:
        """Forget the *closed* files not opened in process *pid* since *before*; return how many these were.

        *more* are closed, too.
        """
        server = self._servers.get(pid)
        if server is None:
            return 0
        count = len(server.files)
        for inode in closed:
            if (file := server.files.get(inode)) and file.opened < before:
                self._drop(pid, server, inode)
        remaining = len(server.files)
        server.sweep_at = remaining if more else max(_SWEEP_FROM, min(2 * remaining, remaining + _SWEEP_AGAIN))
        self._servers[pid] = self._servers.pop(pid)  # the next process has its turn
        return count - remaining

    def forget_ended(self) -> None:
        """Forget ended processes; each call checks a limited number, in turn."""
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
                for opener in file.everybody():
                    yield inode, opener

    def _file(self, subject: Subject, inode: Inode) -> _OpenFile | None:
        server = self._servers.get(subject.tgid)
        if server is None or (file := server.files.get(inode)) is None:
            return None
        return file if (subject.started or self._start_time(subject.tgid)) == server.started else None

    @staticmethod
    def _has(file: _OpenFile, subject: Subject) -> bool:
        return any(opener.tid == subject.tid and identity(opener) == identity(subject) for opener in file.recent)

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
    """Bound the list of a server with a thread per request: of one identity the newest opens count."""
    if len(recent) > _RECENT:
        newer: set[_Identity] = set()
        repeats = [place for place in range(len(recent) - 1, -1, -1) if _is_again(identity(recent[place]), newer)]
        if repeats:
            del recent[repeats[-1]]


def _is_again(key: _Identity, keys: set[_Identity]) -> bool:
    repeated = key in keys
    keys.add(key)
    return repeated


def judged_by(thread: Subject, openers: Collection[Subject]) -> tuple[Subject, ...] | None:
    """Return the people by whose rights the use of an open file is judged; ``None`` when they are unknown.

    The thread counts as well, unless it impersonates or is root: then it works for the opener of the file.
    """
    if not openers:
        return None if thread.impersonates else (thread,)
    if thread.impersonates or not thread.fsuid:
        return tuple(openers)
    return (*openers, thread)
