"""Guardrails of a revocation: which processes it may end and which it never touches, as pure functions of kernel data.

Rules of this file:
- a process belongs to the person by its real or saved uid (what ``kill(-1)`` as that uid reaches, kill(2)), or by its
  login uid, whatever it has become since through ``su`` or ``sudo``; and by a subordinate uid of the person, if it has
  no login uid: a login uid is stronger evidence than the right to take a uid;
- every thread counts: what one of them is the whole process is, because it ends as a whole. Only where a registered
  service, or root without a login, has a thread that became the person, the process belongs to the service;
- never: PID 1, the agent, the caller, and any *account* that is root's, the system's or shared;
- a service that borrows the uid for one request belongs to the service: its connection is ended by the step that knows
  the service, not by a signal. It has the effective or filesystem uid only, or can return to root without a program's
  help (Samba's smbd has the real and effective uid of the user it serves, and root as its saved uid; one of its
  processes serves many people). A process with root's rights from a set-uid program borrows nothing: it is theirs;
- ``kill(-1)`` makes no such distinction: while any process on the host lends itself to uids (:func:`lends`), whichever
  it has now, nothing is ended by it, because another uid may be taken between the check and the signal;
- a system account or registered service that the person once started keeps running, unless it holds classified data.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from agent.kernel.task_identity import TaskIdentity

FIRST_ORDINARY = 1000  # login.defs(5) UID_MIN: below are the distribution's own accounts
FIRST_UNUSED = 0x80000000  # from here on unassigned: many tools cannot write them, and -1 and -2 have other meanings
SHARED = frozenset((65534,))  # nobody, which is also every unmapped uid
LENDERS = ("smbd",)  # first letters of the names of root's programs that take the uids of their users (``smbd[…]``)


class Process(NamedTuple):
    """One process at one moment: proc_pid_status(5) and proc_pid_loginuid(5). ``login`` is ``None`` when unset.

    The uids are those of its first thread; ``other_threads`` are the different ones of its other threads. ``raised``:
    its program was started by a user other than root, or is set-uid (:mod:`agent.offboard.steps.raised`); known where
    it matters, of processes that are root's and another user's at once.
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
    other_threads: frozenset[TaskIdentity] = frozenset()
    raised: bool = False

    @property
    def identities(self) -> tuple[TaskIdentity, ...]:
        """The identities of its threads, the first thread's first."""
        return (TaskIdentity(self.ruid, self.euid, self.suid, self.fsuid, self.login), *self.other_threads)

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs or holds anything any more.

        A leader that has ended before its other threads shows as a zombie and is alive: they share its descriptors.
        """
        return self.state in "ZX" and self.threads <= 1

    @property
    def uninterruptible(self) -> bool:
        """Whether it waits in the kernel, so that not even SIGKILL ends it before the kernel allows it (``D``).

        If the leader of a killed process has ended, another of its threads waits.
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
    """The protected processes. ``services`` are pairs of uid and executable that the registry knows."""

    pids: frozenset[int] = frozenset()
    services: frozenset[tuple[int, str]] = frozenset()

    def protects(self, pid: int) -> bool:
        """Whether no signal may go to *pid*. 0 and negative numbers mean groups to kill(2), never a process."""
        return pid <= 1 or pid in self.pids


def ordinary(uid: int) -> bool:
    """Whether processes of account *uid* may be ended at all: it is one person's, not root's, a system's or shared."""
    return FIRST_ORDINARY <= uid < FIRST_UNUSED and uid not in SHARED


def reach(process: Process, uids: Collection[int], rails: Rails, below: Sequence[range] = ()) -> Reach:
    """Return how *process* relates to the person with *uids*; uids that are not :func:`ordinary` do not count.

    *below*: the person's subordinate uids, see :mod:`agent.offboard.steps.subids`.
    """
    if rails.protects(process.pid):
        return Reach.PROTECTED
    ordinary_uids = frozenset(uid for uid in uids if ordinary(uid))
    first, *further = process.identities
    how = _reach(first, process, ordinary_uids, rails, below)
    if not further:
        return how
    reaches = {how, *(_reach(identity, process, ordinary_uids, rails, below) for identity in further)}
    if (
        how is not Reach.ACCOUNT
        and Reach.ACCOUNT in reaches
        and not reaches & _BY_LOGIN
        and _serves(process, ordinary_uids, rails)
    ):
        return Reach.SERVICE
    return next(identity for identity in Reach if identity in reaches)


def _reach(
    identity: TaskIdentity, process: Process, uids: Collection[int], rails: Rails, below: Sequence[range]
) -> Reach:
    """Return how one thread of *process* is the person's."""
    real = identity.ruid in uids or identity.suid in uids
    if real and (process.raised or identity.login in uids or not mixed(identity)):
        return Reach.ACCOUNT
    if identity.login is not None and identity.login in uids:
        system = 0 < identity.ruid < FIRST_ORDINARY
        return Reach.SERVICE if system or (identity.ruid, process.executable) in rails.services else Reach.LOGIN
    if identity.login is None and any(
        identity.ruid in subordinate or identity.suid in subordinate for subordinate in below
    ):
        return Reach.SUBORDINATE
    if real or identity.euid in uids or identity.fsuid in uids:
        return Reach.ACTING
    return Reach.BYSTANDER


def mixed(identity: TaskIdentity) -> bool:
    """Whether a thread is root and another user at once: it can become either again by itself, setresuid(2)."""
    three = {identity.ruid, identity.euid, identity.suid}
    return 0 in three and len(three) > 1


def lends(process: Process) -> bool:
    """Whether *process* is root's and lends itself to uids, now or at any moment, so that ``kill(-1)`` may hit it."""
    if process.raised or process.ended:
        return False
    root = any(0 in (identity.ruid, identity.euid, identity.suid) for identity in process.identities)
    lent = any(
        mixed(identity) and (ordinary(identity.ruid) or ordinary(identity.suid)) for identity in process.identities
    )
    return lent or (root and process.name.startswith(LENDERS))


def _serves(process: Process, uids: Collection[int], rails: Rails) -> bool:
    """Whether one of its threads is a registered service, or root without a login of *uids*."""
    return any(
        (identity.ruid, process.executable) in rails.services
        or (identity.login not in uids and (identity.ruid == 0 or (mixed(identity) and not process.raised)))
        for identity in process.identities
    )


def ends(process: Process, uids: Collection[int], rails: Rails, *, holds: bool, below: Sequence[range] = ()) -> bool:
    """Whether *process* is to be ended. *holds*: it holds classified data; *below*: see :func:`reach`."""
    how = reach(process, uids, rails, below)
    return how in (Reach.ACCOUNT, Reach.LOGIN, Reach.SUBORDINATE) or (how is Reach.SERVICE and holds)


def sweepable(uid: int, protected: Iterable[Process]) -> bool:
    """Whether ``kill(-1)`` as *uid* hits none of the *protected* processes: that call knows no exceptions."""
    return ordinary(uid) and not any(
        uid in (identity.ruid, identity.suid) for process in protected for identity in process.identities
    )
