"""The context of a revocation: everything it uses and did not create, passed in so that it imports no policy.

Rules of this file: data and callables only, and no callable has a default: its creator states what each one does. A
callable states what it may raise; the code that wires it keeps that promise. Nothing here is read from the registry
while a run is under way: a :class:`RevocationSubject` is fixed when the run begins, so that removing an account
afterwards hides no process from a resumed run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from agent.kernel.open_files import HeldFile
from agent.kernel.walk import WalkEntry, WalkFailure
from agent.offboard.guardrails import Rails
from rules.text import Sentence


@dataclass(frozen=True, slots=True)
class Account:
    """A Linux uid of a person. ``names`` are its logins on this host: none when the host does not know it."""

    uid: int
    names: tuple[str, ...] = ()
    home: str = ""


@dataclass(frozen=True, slots=True)
class RevocationSubject:
    """The person whose access ends. ``roles``: administrator roles of their accounts; ``sole``: those nobody else has.

    ``areas``: the areas lost, where only part of the access ends; empty: all access. ``tries``: of these, the areas
    where an attempt shows that people who stay are kept out; ``None``: all of them. ``uncut_only``: a process that
    holds only what the kernel itself refuses (a descriptor, where reads are decided) is spared.
    """

    id: str
    accounts: tuple[Account, ...] = ()
    roles: frozenset[str] = frozenset()
    sole: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    tries: frozenset[str] | None = None
    uncut_only: bool = False

    @property
    def uids(self) -> tuple[int, ...]:
        """The uids, in order."""
        return tuple(account.uid for account in self.accounts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; :meth:`from_json` reads it back."""
        return {
            "id": self.id,
            "accounts": [[account.uid, list(account.names), account.home] for account in self.accounts],
            "roles": sorted(self.roles),
            "sole": sorted(self.sole),
            "areas": sorted(self.areas),
            "tries": None if self.tries is None else sorted(self.tries),
            "uncut_only": self.uncut_only,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "RevocationSubject":
        """Read what :meth:`to_json` wrote."""
        accounts = tuple(Account(uid, tuple(names), home) for uid, names, home in record["accounts"])
        areas = frozenset(record.get("areas", ()))  # a run of an earlier version is about everything
        tries = record.get("tries", ())  # … and a run that tried nothing then tries nothing now
        return cls(
            record["id"],
            accounts,
            frozenset(record["roles"]),
            frozenset(record["sole"]),
            areas,
            None if tries is None else frozenset(tries),
            bool(record.get("uncut_only", False)),
        )


class DenialAck(NamedTuple):
    """The decider's acknowledgement that no verdict is older than *epoch*, and its time.

    *received* and *durable*: when the request for it was read, and when the fsync of its commit had returned. A later
    request to the decider yields neither.
    """

    epoch: int
    at: datetime
    received: datetime | None = None
    durable: datetime | None = None

    @classmethod
    def after(cls, epoch: int, at: datetime, received: datetime | None, durable: datetime | None) -> "DenialAck":
        """Return the acknowledgement given *at* for an act *received* and observed to be *durable* then.

        Another request may have made the decider take over the commit before its author read the clock. What a decider
        reads was synced before (sqlite.org/wal.html), so that it was durable by *at*.
        """
        return cls(epoch, at, received, min(durable, at) if durable else None)


class AreaPath(NamedTuple):
    """A classified directory: its name and its absolute path."""

    name: str
    path: str


class DoorRefusal(Protocol):
    """A door, or a board of doors, and whether it is known to refuse the person."""

    @property
    def name(self) -> str:
        """The door."""

    @property
    def confirmed(self) -> bool:
        """Whether it is known to refuse."""

    @property
    def at(self) -> datetime | None:
        """Since when that is known."""

    @property
    def detail(self) -> Sentence:
        """The evidence that it refuses, or what is missing."""


class DoorRevoker(Protocol):
    """The doors of a site. Every method may raise ``ShoumiError`` and be called from any thread."""

    def names(self) -> Iterable[str]:
        """Every door, or board of doors, by name."""

    def inside(self, person: str) -> Iterable[str]:
        """The rooms the person is inside of now."""

    def refuse(self, person: str) -> Iterable[DoorRefusal]:
        """Remove the person's badges from every door and check that they are gone; takes seconds where a door is dead.

        May be repeated; leaving a room stays possible.
        """


class HeldLook(Protocol):
    """A scan of the files that processes hold."""

    def __call__(self, devices: AbstractSet[int], *, pids: AbstractSet[int] | None = None) -> Iterable[HeldFile]:
        """Yield the held files on *devices*; with *pids* those of these processes alone."""


class DenyEntries(Protocol):
    """Which accounts have deny entries, where: state that outlives a run. Every method may raise ``ShoumiError``."""

    def set(self, case: str, person: str, uids: Iterable[int], areas: Iterable[AreaPath]) -> None:
        """Note, durably, that entries of *uids* are about to be set in *areas* for *case*."""

    def removed(self, uids: Iterable[int], areas: Iterable[str]) -> None:
        """Note, durably, that *uids* have no entry in *areas* any more."""


@dataclass(frozen=True, slots=True)
class RevocationContext:
    """One host, as the steps see it."""

    seized: Path
    """The directory for seized files, one subdirectory per case; only root may enter (``H/seized``)."""
    deny: Callable[[str], DenialAck]
    """Return the decider's acknowledgement for this run; wait until it is given. Raises ``ShoumiError``."""
    now: Callable[[], datetime]
    """The agent's clock."""
    append: Callable[[Mapping[str, Any]], int]
    """Append an entry to the access log, return its number. Raises ``ShoumiError``."""
    own: Callable[[int], None]
    """Tell the decider that a process of one thread tries to get in for the agent. Raises ``ShoumiError``."""
    areas: Callable[[], Iterable[AreaPath]]
    """The areas on this host."""
    devices: Callable[[], frozenset[int]]
    """``st_dev`` of the filesystems that hold classified inodes."""
    held: "HeldLook"
    """The processes that hold inodes of these devices (``agent.kernel.open_files.held``). Opens nothing."""
    area_of: Callable[[HeldFile], str | None]
    """The area of a held file; ``None``: it is in none, ``""``: unknown."""
    uncut: Callable[[HeldFile], bool]
    """Whether the kernel still lets a process use a held file after its rights have ended.

    A mapping everywhere; a descriptor and what a ring keeps where the tier does not refuse their use.
    """
    walk: Callable[[str], Iterator[WalkEntry | WalkFailure]]
    """Every inode of an area, each directory first, through a doorway where one is needed. Raises ``OSError``."""
    rails: Callable[[], Rails]
    """The present guardrails: the agent's processes, the caller, the registered services."""
    taken: Callable[[], Iterable[int]]
    """Every uid that is a registered account of any person."""
    owner: Callable[[int], str | None]
    """The person whose registered account a uid is now, ``None`` if there is none."""
    doors: DoorRevoker | None
    """The doors, ``None`` where there are none."""
    end_sessions: Callable[[], bool]
    """Whether the login sessions of a person who stays end with the rights they lose."""
    stop_units: Callable[[], bool]
    """Whether a system unit that runs as a leaver is stopped, or only named."""
    patience: float
    """Seconds a step goes on ending processes that do not end (``D``, proc_pid_status(5)) or are started again."""
    may: Callable[[int, str], bool]
    """Whether an account may open this area now, because it was granted again since. Raises ``ShoumiError``."""
    denials: "DenyEntries | None"
    """The ledger of deny entries on the disk; ``None``: this context writes none."""
    found: dict[str, str | None] | None = None
    """The files for attempts, by area, for a caller that proves many in a row and clears it; ``None``: search anew."""
    root: Path = field(default=Path("/"))
    """The root of ``/etc``, ``/var/spool`` and homes. Processes are always this machine's."""
