"""What a scene may do on a site, whether the kernel is asked there or the question is only rehearsed.

Rules of this file: shapes only. Whoever plays a site keeps to one promise: what it reports was really decided by the
rules in force, and recorded, and what it did not see it does not report.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from agent.demo.building import Guest, Room
from agent.demo.cast import DemoArea, LossAct, Player
from agent.doors.messages import Side
from rules.text import Text

Entry = dict[str, Any]  # one entry of the log


class Who(NamedTuple):
    """Who tries: the person whose uid it is (``None``: root), and who logged in (``None``: nobody, as a service)."""

    user: Player | None
    login: Player | None


def himself(player: Player) -> Who:
    """Return *player*, logged in and working under his own uid."""
    return Who(player, player)


class Way(Enum):
    """By which way a document is opened."""

    STRAIGHT = "straight"
    HARD_LINK = "hard link"  # a second name in a folder that is no area
    BIND_MOUNT = "bind mount"  # root mounts the directory at another place
    NAMESPACE = "namespace"  # in a private user and mount namespace


@dataclass(frozen=True, slots=True)
class AccessAttempt:
    """How an open, or a badge at a door, went. ``passed`` and ``error`` say what came of it; ``entry`` is the log's."""

    passed: bool
    error: str = ""
    entry: Entry | None = None
    moot: Text | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came of killing the decider ``kills`` times while people opened files one after the other.

    Cleared people: ``allowed`` and ``refused`` opens (nobody decides while the decider is dead), and ``unrecorded``,
    how many allowed ones have no entry. Others: ``leaked`` opens that went through, ``turned_away`` that did not.
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
    """What came of a hold while a reader had a file open. Times in milliseconds.

    ``act``: from the request to its acknowledgement. ``last``: from the request to the end of the reader's last read
    that went through. ``late``: that read had begun only after the acknowledgement. ``stopped``: his process ended.
    """

    act: float
    last: float
    late: bool
    stopped: bool
    bystander_reads: int
    bystander_errors: int
    bystander_longest: float
    moot: Text | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What came of a departure while the leaver had a file open and mapped. Milliseconds from HR's drop.

    ``last``: the end of the last read through the descriptor that went through; ``seen``: the last look at the mapped
    pages; both negative when there was none after the drop. ``gone``: the end of the process, ``None``: it lives.
    """

    last: float
    seen: float
    gone: float | None
    bystander_reads: int
    bystander_errors: int
    bystander_longest: float
    unmeasured: Text | None = None
    """Why there are no times, where nothing was cut: in a rehearsal, which ends no process."""


class Bystander(NamedTuple):
    """How somebody fared who went on reading the same file. ``longest`` in milliseconds."""

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
    """What came of an act that took the right to the drawings from somebody who had a file of them mapped.

    ``gone``: milliseconds from the request until the process had ended, ``None``: it lives. ``anew``: he opens the file
    once more. ``back``: the same after the right was given back.
    """

    gone: float | None
    bystander: Bystander
    anew: AccessAttempt
    receipt: LossReceipt | None
    back: AccessAttempt
    unmeasured: Text | None = None
    """Why no process was ended: in a rehearsal, which ends none."""


@dataclass(frozen=True, slots=True)
class LateMount:
    """What came of a volume that was mounted without the agent.

    ``covered``: milliseconds from the moment the agent was woken until nobody could reach it, ``None``: not covered.
    ``seconds``: until the cleared could read again. ``let_in``: opens of somebody uncleared that went through.
    """

    covered: float | None
    seconds: float
    let_in: int
    moot: Text | None = None


class Mark(NamedTuple):
    """One line of a receipt's timeline: what, when, and how long after HR's notice was received."""

    what: Text
    at: str
    after: Text


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """The receipt of a departure. ``left``: what it says is not over yet. ``entries``: numbers in the log."""

    timeline: tuple[Mark, ...]
    genuine: bool
    complete: bool
    left: tuple[str, ...]
    entries: tuple[int, ...]
    """Those of the approval, the delivery and the receipt: fewer than three when one is missing."""
    doors: tuple[tuple[str, str], ...] = ()
    """Each door of the site with its state."""
    moot: Text | None = None


class Explained(NamedTuple):
    """Why a person may or may not open a document."""

    verdict: str
    rule: str
    clauses: tuple[str, ...]
    because: Text
    change: Text | None


class LogVerification(NamedTuple):
    """What an independent reading of the whole log found; ``problems`` without warnings, which break nothing."""

    entries: int
    first: int
    last: int
    problems: tuple[Text, ...]


class DemoSite(Protocol):
    """A place where the story can be played. Every method may raise :class:`agent.errors.ShoumiError`."""

    def opens(self, who: Who, document: str, way: Way = Way.STRAIGHT) -> AccessAttempt:
        """Let *who* open and read *document*, a path relative to the volume."""

    def authorise(self, player: Player, place: DemoArea, seconds: float) -> None:
        """Give *player* a temporary authorisation for *place* that ends by itself."""

    def expire(self) -> None:
        """Let time pass until the last authorisation has ended."""

    def traffic(self) -> Traffic:
        """Kill the decider in mid-traffic; once, whoever asks again is told the same."""

    def cut(self) -> CutMeasurement:
        """Put a reader on hold while he reads, beside a bystander on the same file; once, as above."""

    def loses(self, player: Player, by: LossAct) -> LossMeasurement:
        """End the grant of *player*, or import a list that has them elsewhere, and undo it; once for each act."""

    def remounts(self) -> Text | None:
        """Unmount the volume and mount it again; return why that was not done, ``None`` when it was."""

    def mounts_late(self) -> LateMount:
        """Have the agent let go of the volume, and mount it without the agent; once, as above."""

    def leaves(self) -> Left:
        """Have a departure approved by HR while the leaver reads, beside a bystander; once, as above."""

    def shows(self, who: Player | Guest, room: Room, side: Side) -> AccessAttempt:
        """Let *who* show a badge at the door of *room*, and go through when it is released."""

    def forces(self, room: Room) -> None:
        """Break the door of *room* open."""

    def alarms(self, room: Room, kind: str) -> list[str]:
        """Return the open alarms of *kind* in *room*, each as the person it is about, or ``""``."""

    def proof(self) -> ReceiptSummary:
        """Return the receipt of that departure, verified with the public key alone."""

    def explain(self, player: Player, document: str) -> Explained:
        """Say why."""

    def entries(self) -> list[Entry]:
        """Return the entries of the story so far, oldest first, without those of the traffic."""

    def verify(self) -> LogVerification:
        """Have the log verified."""
