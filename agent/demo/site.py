"""Interface of a demo site, live or rehearsed, and its measurements.

Rules of this file: types only. Every site keeps one promise: what it reports was really decided by the rules in force
and recorded, and it reports nothing that it did not observe.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from agent.demo.building import Guest, Room
from agent.demo.cast import DemoArea, LossAct, Player
from agent.doors.messages import Side
from rules.text import Sentence

Entry = dict[str, Any]  # one entry of the log


class ActingPerson(NamedTuple):
    """An acting person: the owner of the uid (``None``: root), and of the login (``None``: no login, as a service)."""

    user: Player | None
    login: Player | None


def own_session(player: Player) -> ActingPerson:
    """Return *player*, logged in and working under their own uid."""
    return ActingPerson(player, player)


class OpenRoute(Enum):
    """The route by which a document is opened."""

    STRAIGHT = "straight"
    HARD_LINK = "hard link"  # a second name in a folder that is no area
    BIND_MOUNT = "bind mount"  # root mounts the directory at another place
    NAMESPACE = "namespace"  # in a private user and mount namespace


@dataclass(frozen=True, slots=True)
class AccessAttempt:
    """The result of an open, or of a badge at a door. ``passed``, ``error``: the outcome; ``entry``: the log entry."""

    passed: bool
    error: str = ""
    entry: Entry | None = None
    moot: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """The result of killing the decider ``kills`` times while people opened files in turn.

    Cleared people: ``allowed`` and ``refused`` opens (nothing is decided while the decider is dead), and
    ``unrecorded``, how many allowed ones have no entry. Others: ``leaked`` opens that went through, ``turned_away``
    that did not.
    """

    kills: int
    restarts: int
    allowed: int
    refused: int
    unrecorded: int
    leaked: int
    turned_away: int


@dataclass(frozen=True, slots=True)
class CutMeasurement:
    """The result of a hold while a reader had a file open. Times in milliseconds.

    ``act``: from the request to its acknowledgement. ``last``: from the request to the end of the reader's last read
    that went through. ``late``: that read had begun only after the acknowledgement. ``stopped``: their process ended.
    """

    act: float
    last: float
    late: bool
    stopped: bool
    bystander_reads: int
    bystander_errors: int
    bystander_longest: float
    moot: Sentence | None = None


@dataclass(frozen=True, slots=True)
class DepartureMeasurement:
    """The result of an offboarding while the leaver had a file open and mapped. Milliseconds from HR's drop.

    ``last``: the end of the last read through the descriptor that went through; ``mapped_last``: the last read of the
    mapped pages; both negative when there was none after the drop. ``ended_after``: the end of the process, ``None``:
    still running.
    """

    last: float
    mapped_last: float
    ended_after: float | None
    bystander_reads: int
    bystander_errors: int
    bystander_longest: float
    unmeasured: Sentence | None = None
    """Why there are no times, where nothing was cut: in a rehearsal, which ends no process."""


class Bystander(NamedTuple):
    """The reads of a person who went on reading the same file. ``longest`` in milliseconds."""

    reads: int
    errors: int
    longest: float


@dataclass(frozen=True, slots=True)
class LossReceipt:
    """The receipt of a loss, verified: the areas it names, and whether nothing in it is open.

    ``denied``: milliseconds from the request until the decider denied. ``entry``: that of the act.
    """

    run: str
    areas: tuple[str, ...]
    complete: bool
    denied: float | None
    entry: int


@dataclass(frozen=True, slots=True)
class LossMeasurement:
    """The result of an act that revoked the right to the drawings from a person who had one mapped.

    ``ended_after``: milliseconds from the request until the process had ended, ``None``: still running. ``reopened``:
    they open the file once more. ``back``: the same after the right was restored.
    """

    ended_after: float | None
    bystander: Bystander
    reopened: AccessAttempt
    receipt: LossReceipt | None
    back: AccessAttempt
    unmeasured: Sentence | None = None
    """Why no process was ended: in a rehearsal, which ends none."""


@dataclass(frozen=True, slots=True)
class LateMount:
    """The result of mounting a volume without the agent.

    ``covered``: milliseconds from the wake-up of the agent until no one could reach it, ``None``: not covered.
    ``seconds``: until the cleared could read again. ``let_in``: opens of an uncleared person that went through.
    """

    covered: float | None
    seconds: float
    let_in: int
    moot: Sentence | None = None


class Mark(NamedTuple):
    """One line of a receipt's timeline: what, when, and how long after HR's notice was received."""

    label: Sentence
    at: str
    after: Sentence


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """The receipt of a departure. ``still_open``: the steps that are not complete. ``entries``: numbers in the log."""

    timeline: tuple[Mark, ...]
    genuine: bool
    complete: bool
    still_open: tuple[str, ...]
    entries: tuple[int, ...]
    """The entries of the approval, the delivery and the receipt: fewer than three when one is missing."""
    doors: tuple[tuple[str, str], ...] = ()
    """Each door of the site with its state."""
    moot: Sentence | None = None


class Explained(NamedTuple):
    """Why a person may or may not open a document."""

    verdict: str
    rule: str
    clauses: tuple[str, ...]
    because: Sentence
    change: Sentence | None


class LogVerification(NamedTuple):
    """The result of an independent reading of the whole log; ``problems`` without warnings."""

    entries: int
    first: int
    last: int
    problems: tuple[Sentence, ...]


class DemoSite(Protocol):
    """A place where the story can be played. Every method may raise :class:`agent.errors.ShoumiError`."""

    def opens(self, subject: ActingPerson, document: str, route: OpenRoute = OpenRoute.STRAIGHT) -> AccessAttempt:
        """Let *subject* open and read *document*, a path relative to the volume."""

    def authorise(self, player: Player, place: DemoArea, seconds: float) -> None:
        """Give *player* a temporary grant for *place* that expires by itself."""

    def expire(self) -> None:
        """Wait until the last temporary grant has expired."""

    def traffic(self) -> Traffic:
        """Kill the decider during accesses; once, later calls return the same result."""

    def cut(self) -> CutMeasurement:
        """Put a reader on hold during a read, with a bystander on the same file; once, as above."""

    def loses(self, player: Player, by: LossAct) -> LossMeasurement:
        """End the grant of *player*, or import a list that has them elsewhere, and undo it; once for each act."""

    def remounts(self) -> Sentence | None:
        """Unmount the volume and mount it again; return the reason if that was not possible, else ``None``."""

    def mounts_late(self) -> LateMount:
        """Make the agent release the volume, and mount it without the agent; once, as above."""

    def leaves(self) -> DepartureMeasurement:
        """Have HR approve an offboarding while the leaver reads, with a bystander; once, as above."""

    def shows(self, holder: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Let *holder* present a badge at the door of *room*, and pass when it is released."""

    def forces(self, room: Room) -> None:
        """Force the door of *room* open."""

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the open alarms of *kind* in *room*, each as the person it concerns, or ``""``."""

    def proof(self) -> ReceiptSummary:
        """Return the receipt of that offboarding, verified with the public key alone."""

    def explain(self, player: Player, document: str) -> Explained:
        """Explain the verdict."""

    def entries(self) -> list[Entry]:
        """Return the entries of the story so far, oldest first, without those of the traffic."""

    def verify(self) -> LogVerification:
        """Have the log verified."""
