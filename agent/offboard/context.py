"""Everything a revocation works with and did not make itself: handed in, so that it imports no policy of the agent.

Rules of this file: data and callables only, and no callable has a default: who makes one says what each does. A
callable says what it may raise; whoever wires it keeps that promise. Nothing here is read from the registry while a run
is under way: a :class:`RevocationSubject` is fixed when the run begins, so that taking an account away afterwards hides
no process from a resumed run.
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
from rules.text import Text


@dataclass(frozen=True, slots=True)
class Account:
    """A Linux uid of a person. ``names`` are its logins on this host: none when the host does not know it."""

    uid: int
    names: tuple[str, ...] = ()
    home: str = ""


@dataclass(frozen=True, slots=True)
class RevocationSubject:
    """The person it is about. ``roles``: administrator roles their accounts hold; ``sole``: those nobody else holds.

    ``areas``: what it is about where only that much of their access ends; empty: everything. ``tries``: of these, the
    ones where an attempt shows that they who stay are kept out; ``None``: all of them. ``uncut_only``: a process that
    holds no more than what the kernel refuses by itself (a descriptor, where reads are asked about) is left to run.
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
        """Return what :meth:`record` gave."""
        accounts = tuple(Account(uid, tuple(names), home) for uid, names, home in record["accounts"])
        areas = frozenset(record.get("areas", ()))  # a run of an earlier version is about everything
        tries = record.get("tries", ())  # … and one that tried nothing then tries nothing now
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
    """The decider's word that no verdict is older than *epoch* any more, and when it was given.

    *received* and *durable*: when the request for it was read, and when the fsync of its commit had returned. Whoever
    asks the decider again later knows neither.
    """

    epoch: int
    at: datetime
    received: datetime | None = None
    durable: datetime | None = None

    @classmethod
    def after(cls, epoch: int, at: datetime, received: datetime | None, durable: datetime | None) -> "DenialAck":
        """Return the word given *at* about an act that was *received* and seen to be *durable* then.

        Somebody else may have had the decider take over the commit before whoever made it looked at the clock. What a
        decider reads was synced before (sqlite.org/wal.html), so that it was durable by *at*.
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
    def detail(self) -> Text:
        """What it is known by, or what is missing."""


class DoorRevoker(Protocol):
    """The doors of a site. Every method may raise ``ShoumiError``; any thread may ask."""

    def names(self) -> Iterable[str]:
        """Every door, or board of doors, by name."""

    def inside(self, person: str) -> Iterable[str]:
        """The rooms the person is inside of now."""

    def refuse(self, person: str) -> Iterable[DoorRefusal]:
        """Take the person's badges off every door and look whether they are gone; takes seconds where a door is dead.

        May be asked again and again; leaving a room stays possible.
        """


class HeldLook(Protocol):
    """A look at what processes hold."""

    def __call__(self, devices: AbstractSet[int], *, pids: AbstractSet[int] | None = None) -> Iterable[HeldFile]:
        """Yield what is held of *devices*; with *pids* by these processes alone."""


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
    """Where things are moved aside to, one directory per case; only root may enter (``H/seized``)."""
    deny: Callable[[str], DenialAck]
    """Return when the decider acknowledged what this run is for; wait until it has. Raises ``ShoumiError``."""
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
    """Who holds inodes of these devices (``agent.kernel.open_files.held``). Looks, opens nothing."""
    area_of: Callable[[HeldFile], str | None]
    """The area something held belongs to; ``None``: it is in none, ``""``: that cannot be told."""
    uncut: Callable[[HeldFile], bool]
    """Whether the kernel goes on letting a process use what it holds after its rights have ended.

    A mapping everywhere; a descriptor and what a ring keeps where the tier does not refuse their use.
    """
    walk: Callable[[str], Iterator[WalkEntry | WalkFailure]]
    """Every inode of an area, each directory first, through a doorway where one is needed. Raises ``OSError``."""
    rails: Callable[[], Rails]
    """What must never be touched, as it is now: the agent's processes, the caller, the registered services."""
    taken: Callable[[], Iterable[int]]
    """Every uid that is a registered account, whoever's."""
    owner: Callable[[int], str | None]
    """Whose registered account a uid is now, ``None`` when it is nobody's."""
    doors: DoorRevoker | None
    """The doors, ``None`` where there are none."""
    end_sessions: Callable[[], bool]
    """Whether the login sessions of somebody who stays end with the rights they lose."""
    stop_units: Callable[[], bool]
    """Whether a system unit that runs as somebody who leaves is stopped, or only named."""
    patience: float
    """Seconds a step goes on ending processes that do not end (``D``, proc_pid_status(5)) or are started again."""
    may: Callable[[int, str], bool]
    """Whether an account may open this area now after all, because it was given again since. Raises ``ShoumiError``."""
    denials: "DenyEntries | None"
    """What remembers who is denied on the disk; ``None``: nothing is written there by who has this context."""
    found: dict[str, str | None] | None = None
    """The file that attempts are made at, by area, for who proves many in a row and clears it; ``None``: look anew."""
    root: Path = field(default=Path("/"))
    """Where ``/etc``, ``/var/spool`` and homes are looked for. Processes are always this machine's."""
