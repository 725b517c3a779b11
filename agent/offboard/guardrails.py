"""What a revocation may end and what it never touches: one pure function over what the kernel says of a process.

Rules of this file:
- a process is the person's by its real or saved uid (what ``kill(-1)`` as that uid reaches, kill(2)), or by its login
  uid, whatever it has become since through ``su`` or ``sudo``; and by a subordinate uid of theirs, if it has no login
  uid: who logged in says more than who may take a uid;
- every thread counts: what one of them is the whole process is, because it ends as a whole. Only where a registered
  service, or root without a login, has a thread that became the person, the process is the service's;
- never: PID 1, the agent, whoever asked for this, and any *account* that is root's, the system's or shared;
- a service that borrows the uid for one request is the service's: its connection is ended by the step that knows the
  service, not by a signal. It has the effective or filesystem uid only, or can go back to root without a program's help
  (Samba's smbd has the real and effective uid of whom it works for, and root's as its saved one; one process of it
  serves many people). What somebody got root's rights by (a set-uid program) borrows nothing: it is theirs;
- ``kill(-1)`` asks no such question: while anything on the host lends its process to uids (:func:`lends`), whichever it
  has now, nothing is ended by it, because another one may be taken between the question and the signal;
- a system account or registered service that the person once started is left to run, unless it holds classified data.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from agent.kernel.task_identity import TaskIdentity

FIRST_ORDINARY = 1000  # login.defs(5) UID_MIN: below are the distribution's own accounts
FIRST_UNUSED = 0x80000000  # from here on nobody's: many tools cannot write them, and -1 and -2 have other meanings
SHARED = frozenset((65534,))  # nobody, which is also every unmapped uid
LENDERS = ("smbd",)  # names of root's programs that take the uids of whom they work for, as they begin (``smbd[…]``)


class Process(NamedTuple):
    """One process at one moment: proc_pid_status(5) and proc_pid_loginuid(5). ``login`` is ``None`` when unset.

    The uids are those of its first thread; ``others`` are the different ones of its other threads. ``raised``: its
    program was started by somebody who is not root, or is set-uid (:mod:`agent.offboard.steps.raised`); known where it
    counts, of what is root's and somebody else's at once.
    """

    pid: int
    ruid: int
    euid: int
    suid: int
    fsuid: int
    login: int | None
    state: str = "S"
    threads: int = 1
    name: str = ""
    executable: str = ""
    parent: int = 0
    others: frozenset[TaskIdentity] = frozenset()
    raised: bool = False

    @property
    def identities(self) -> tuple[TaskIdentity, ...]:
        """Who its threads are, the first one first."""
        return (TaskIdentity(self.ruid, self.euid, self.suid, self.fsuid, self.login), *self.others)

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs or holds anything any more.

        A leader that has left its other threads behind shows as a zombie and is alive: they share its descriptors.
        """
        return self.state in "ZX" and self.threads <= 1

    @property
    def uninterruptible(self) -> bool:
        """Whether it waits in the kernel, so that not even SIGKILL ends it before the kernel lets it (``D``).

        Of one that was killed it is another thread that waits where the leader has ended.
        """
        return self.state == "D" or (self.state in "ZX" and self.threads > 1)


class Reach(StrEnum):
    """How a process is the person's, or why it is not to be ended: of several threads the first of these counts."""

    ACCOUNT = "account"
    LOGIN = "login"
    SUBORDINATE = "subordinate"
    SERVICE = "service"
    ACTING = "acting"
    PROTECTED = "protected"
    BYSTANDER = "bystander"


_BY_LOGIN = frozenset((Reach.LOGIN, Reach.SUBORDINATE))


@dataclass(frozen=True, slots=True)
class Rails:
    """What is never touched. ``services`` are pairs of uid and executable that the registry knows."""

    pids: frozenset[int] = frozenset()
    services: frozenset[tuple[int, str]] = frozenset()

    def protects(self, pid: int) -> bool:
        """Whether no signal may go to *pid*. 0 and negative numbers mean groups to kill(2), never a process."""
        return pid <= 1 or pid in self.pids


def ordinary(uid: int) -> bool:
    """Whether processes of account *uid* may be ended at all: it is one person's, not root's, a system's or shared."""
    return FIRST_ORDINARY <= uid < FIRST_UNUSED and uid not in SHARED


def reach(process: Process, uids: Collection[int], rails: Rails, below: Sequence[range] = ()) -> Reach:
    """Return how *process* relates to the person who has *uids*; uids that are not :func:`ordinary` do not count.

    *below*: the person's subordinate uids, see :mod:`agent.offboard.steps.subids`.
    """
    if rails.protects(process.pid):
        return Reach.PROTECTED
    theirs = frozenset(uid for uid in uids if ordinary(uid))
    first, *others = process.identities
    how = _reach(first, process, theirs, rails, below)
    if not others:
        return how
    found = {how, *(_reach(one, process, theirs, rails, below) for one in others)}
    if (
        how is not Reach.ACCOUNT
        and Reach.ACCOUNT in found
        and not found & _BY_LOGIN
        and _serves(process, theirs, rails)
    ):
        return Reach.SERVICE
    return next(one for one in Reach if one in found)


def _reach(one: TaskIdentity, process: Process, theirs: Collection[int], rails: Rails, below: Sequence[range]) -> Reach:
    """Return how one thread of *process* is the person's."""
    real = one.ruid in theirs or one.suid in theirs
    if real and (process.raised or one.login in theirs or not mixed(one)):
        return Reach.ACCOUNT
    if one.login is not None and one.login in theirs:
        system = 0 < one.ruid < FIRST_ORDINARY
        return Reach.SERVICE if system or (one.ruid, process.executable) in rails.services else Reach.LOGIN
    if one.login is None and any(one.ruid in some or one.suid in some for some in below):
        return Reach.SUBORDINATE
    if real or one.euid in theirs or one.fsuid in theirs:
        return Reach.ACTING
    return Reach.BYSTANDER


def mixed(one: TaskIdentity) -> bool:
    """Whether a thread is root and somebody else at once: it can become either again by itself, setresuid(2)."""
    three = {one.ruid, one.euid, one.suid}
    return 0 in three and len(three) > 1


def lends(process: Process) -> bool:
    """Whether *process* is root's and lends itself to uids, now or at any moment, so that ``kill(-1)`` may hit it."""
    if process.raised or process.ended:
        return False
    root = any(0 in (one.ruid, one.euid, one.suid) for one in process.identities)
    lent = any(mixed(one) and (ordinary(one.ruid) or ordinary(one.suid)) for one in process.identities)
    return lent or (root and process.name.startswith(LENDERS))


def _serves(process: Process, theirs: Collection[int], rails: Rails) -> bool:
    """Whether one of its threads is a registered service, or root that nobody of *theirs* logged in as."""
    return any(
        (one.ruid, process.executable) in rails.services
        or (one.login not in theirs and (one.ruid == 0 or (mixed(one) and not process.raised)))
        for one in process.identities
    )


def ends(process: Process, uids: Collection[int], rails: Rails, *, holds: bool, below: Sequence[range] = ()) -> bool:
    """Whether *process* is to be ended. *holds*: it holds classified data; *below*: see :func:`reach`."""
    how = reach(process, uids, rails, below)
    return how in (Reach.ACCOUNT, Reach.LOGIN, Reach.SUBORDINATE) or (how is Reach.SERVICE and holds)


def sweepable(uid: int, protected: Iterable[Process]) -> bool:
    """Whether ``kill(-1)`` as *uid* hits none of the *protected* processes: that call knows no exceptions."""
    return ordinary(uid) and not any(uid in (one.ruid, one.suid) for each in protected for one in each.identities)
