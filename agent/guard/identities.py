"""Who a thread is, as far as verdicts tell: what :mod:`agent.kernel.subject` reads, its program, and who let it in.

Rules of this file: a program is looked at where one is registered for the uid and the path that the kernel names, at
every open. A thread of a person without a login uid was let in where it runs a program that lets people in, or descends
from a living process that does; only root's processes let anybody in. That is looked up again after a second, and as
soon as its uids or the path of its program change: it descends from what it descended from a second ago. In a trial
nobody is asked for a login; of a server it is known all the same, for what it keeps open beyond the trial. Samba's
server (:mod:`agent.kernel.samba_program`) needs no registration. Belongs to one thread; makes no call that waits for
somebody else: see :mod:`agent.kernel.program`.
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
_KEPT = 1024  # identities, each kept itself, so that no other one has its place in memory
BUDGET_NS = 50_000_000  # on the open path
UNBOUNDED_NS = 1 << 62


class Identities:
    """Identities by thread id, by the policy in force.

    *most_ns* are the nanoseconds that one real uid may have us look for who let it in, each second: whoever makes more
    threads than that was not let in. Where nobody waits for the answer they are not bounded.
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
        """Return who thread *tid* is now. Raises :class:`agent.kernel.subject.TaskGoneError`."""
        who = self._tasks.identify(tid)
        programs = self._policy.programs
        if who.fsuid in programs.uids:
            known = programs.service_of(who.fsuid, who.executable)
            return who if known is None else who.seen(self._executed(tid), let_in=True)
        if who.loginuid is None and who.fsuid and (programs.asks_logins or who.impersonates):
            return who if self._was_let_in(who, tid) else who.seen(None, let_in=False)
        return who

    def forget(self) -> None:
        """Forget who was let in: other programs may do that now."""
        self._let_in.clear()

    def _executed(self, tid: int) -> Program | None:
        try:
            return self._first.executed(self._tasks.folder(tid))
        except OSError:  # it has ended: whoever answers it finds that out
            return None

    def _was_let_in(self, who: Subject, tid: int) -> bool:
        now = time.monotonic_ns()
        known = self._let_in.get(id(who))  # a thread of a server has one for each of whom it serves
        if known is not None and now < known[2]:
            return known[1]
        if now - self._second >= _AGAIN:
            self._second = now
            self._spent.clear()
        if who.ruid and self._spent[who.ruid] >= self._most_ns:
            return False
        found = ancestors.any_of(self._tasks.folder(tid), self._lets_in)
        self._spent[who.ruid] += time.monotonic_ns() - now
        self._let_in[id(who)] = who, found, now + _AGAIN
        self._let_in.move_to_end(id(who))
        if len(self._let_in) > _KEPT:
            self._let_in.popitem(last=False)
        return found

    def _lets_in(self, folder: int, ruid: int) -> bool:
        """Whether the task at *folder* runs a program that lets people in, as root. Raises ``OSError``."""
        if ruid:
            return False
        named = os.readlink(b"exe", dir_fd=folder)
        row = self._policy.programs.entrances.get(named)
        if row is None and not self._samba.named(named):
            return False
        seen = self._first.executed(folder)
        if seen is None:
            return False
        return self._samba.has(seen.device, seen.inode) or (
            row is not None and is_registered(row, seen, self._policy.hashed)
        )
