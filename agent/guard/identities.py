"""Identities of threads as verdicts need them: :mod:`agent.kernel.subject`, the program, and the admitting program.

Rules of this file: a program is checked where one is registered for the uid and the path that the kernel names, at
every open. A thread of a person without a login uid was admitted where it runs a program that admits people, or
descends from a living process that does; only root's processes admit. The result is kept for a second, and looked up
again as soon as its uids or the path of its program change. In a trial no login is required; the result is still
computed for servers, whose open files outlive the trial. Samba's server (:mod:`agent.kernel.samba_program`) needs no
registration. Belongs to one thread; makes no call that waits for another process: see :mod:`agent.kernel.program`.
"""

import os
import time
from collections import Counter, OrderedDict

from agent.guard.policy import PolicySnapshot
from agent.guard.programs import is_registered
from agent.kernel import ancestors
from agent.kernel.program import FirstNamespaces, Program
from agent.kernel.samba_program import SambaPrograms
from agent.kernel.subject import Subject, Tasks

_AGAIN = 1_000_000_000  # nanoseconds
_KEPT = 1024  # identities; each object is kept, so that no other one gets its id()
BUDGET_NS = 50_000_000  # on the open path
UNBOUNDED_NS = 1 << 62


class Identities:
    """Identities by thread id, by the policy in force.

    *most_ns* bounds the nanoseconds per second that the search for an admitting program may take for one real uid:
    threads beyond that count as not admitted. Where no opener waits for the answer it is unbounded.
    """

    def __init__(
        self, tasks: Tasks, policy: PolicySnapshot, samba: SambaPrograms, first: FirstNamespaces, *, most_ns: int
    ) -> None:
        self._most_ns = most_ns
        self._tasks = tasks
        self._policy = policy
        self._samba = samba
        self._first = first
        self._let_in: OrderedDict[int, tuple[Subject, bool, int]] = OrderedDict()
        self._spent: Counter[int] = Counter()  # nanoseconds by real uid, since ``_second``
        self._second = 0

    def of(self, tid: int) -> Subject:
        """Return the present subject of thread *tid*. Raises :class:`agent.kernel.subject.TaskGoneError`."""
        subject = self._tasks.identify(tid)
        programs = self._policy.programs
        if subject.fsuid in programs.uids:
            registered = programs.service_of(subject.fsuid, subject.executable)
            return subject if registered is None else subject.with_program(self._executed(tid), let_in=True)
        if subject.loginuid is None and subject.fsuid and (programs.asks_logins or subject.impersonates):
            return subject if self._was_let_in(subject, tid) else subject.with_program(None, let_in=False)
        return subject

    def forget(self) -> None:
        """Forget the admitted threads: the admitting programs may have changed."""
        self._let_in.clear()

    def _executed(self, tid: int) -> Program | None:
        try:
            return self._first.executed(self._tasks.folder(tid))
        except OSError:  # it has ended: the answer to its event finds that out
            return None

    def _was_let_in(self, subject: Subject, tid: int) -> bool:
        now = time.monotonic_ns()
        cached = self._let_in.get(id(subject))  # a server thread has one subject for each person it serves
        if cached is not None and now < cached[2]:
            return cached[1]
        if now - self._second >= _AGAIN:
            self._second = now
            self._spent.clear()
        if subject.ruid and self._spent[subject.ruid] >= self._most_ns:
            return False
        let_in = ancestors.any_of(self._tasks.folder(tid), self._lets_in)
        self._spent[subject.ruid] += time.monotonic_ns() - now
        self._let_in[id(subject)] = subject, let_in, now + _AGAIN
        self._let_in.move_to_end(id(subject))
        if len(self._let_in) > _KEPT:
            self._let_in.popitem(last=False)
        return let_in

    def _lets_in(self, folder: int, ruid: int) -> bool:
        """Return whether the task at *folder* runs, as root, a program that admits people. Raises ``OSError``."""
        if ruid:
            return False
        named = os.readlink(b"exe", dir_fd=folder)
        row = self._policy.programs.entrances.get(named)
        if row is None and not self._samba.named(named):
            return False
        program = self._first.executed(folder)
        if program is None:
            return False
        return self._samba.has(program.device, program.inode) or (
            row is not None and is_registered(row, program, self._policy.hashed)
        )
