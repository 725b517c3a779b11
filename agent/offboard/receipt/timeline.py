"""The timeline of a revocation: every instant taken where its event happened, in order on one clock.

Rules of this file: pure. An instant that was not measured is ``None`` with its reason. Spans are whole microseconds and
are counted from *received*, between instants of the agent's clock only: an instant of another clock has no span.

**Order.** On the agent's clock no mark is earlier than the marks it follows (:data:`FOLLOWS`), and none is later than
the receipt. Where it seems to be, the clock was set in between: that instant is then not known, and the mark says so.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from agent.language.catalogue import both
from rules.text import Message, Sentence, Text
from rules.visible import visible

START: Final = "received"
MARKS: Final[Mapping[str, Sentence]] = {
    "approved": Message("receipt.mark-approved"),
    "received": Message("receipt.mark-received"),
    "durable": Message("receipt.mark-durable"),
    "denied": Message("receipt.mark-denied"),
    "last-read": Message("receipt.mark-last-read"),
    "last-gone": Message("receipt.mark-last-gone"),
}
FOLLOWS: Final[Mapping[str, tuple[str, ...]]] = {
    "approved": (),
    "received": ("approved",),
    "durable": ("approved", "received"),
    "denied": ("approved", "received", "durable"),
    "last-read": (),
    "last-gone": ("approved", "received", "durable"),
}
"""The marks that each mark must follow. A read after *denied* is no disorder: it leaves the receipt open."""

_NOTHING = Text("", "")
_UNTOLD = timedelta(seconds=1)  # by so much the wall clock may be behind judged time without an entry saying so


class ClockName(StrEnum):
    """The clock of an instant."""

    AGENT = "agent"
    PERSONNEL = "personnel"


class Source(StrEnum):
    """Where an instant was taken."""

    PERSONNEL = "personnel-system"
    SOCKET = "socket"
    ACT = "act"
    SPOOL = "spool"
    DUE = "due"
    HR_STORE = "hr-store"
    REGISTRY = "registry"
    DECIDER = "decider"
    LOG = "log"
    PROCESSES = "processes"
    UNKNOWN = ""

    @property
    def text(self) -> Sentence:
        """The sentence of this source."""
        return _SOURCES[self]


_SOURCES: Mapping[Source, Sentence] = {
    Source.PERSONNEL: Message("receipt.source-personnel"),
    Source.SOCKET: Message("receipt.source-socket"),
    Source.ACT: Message("receipt.source-act"),
    Source.SPOOL: Message("receipt.source-spool"),
    Source.DUE: Message("receipt.source-expiry"),
    Source.HR_STORE: Message("receipt.source-notice-store"),
    Source.REGISTRY: Message("receipt.source-registry"),
    Source.DECIDER: Message("receipt.source-decider"),
    Source.LOG: Message("receipt.source-log"),
    Source.PROCESSES: Message("receipt.source-processes"),
    Source.UNKNOWN: Text("", ""),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of an instant. *not_before*, *not_after*: its bounds if it was not read off the clock.

    *compared*: another clock it was read off (``file-system``), moved to this one by its distance from now. *seq*: the
    number of its log entry.
    """

    source: Source = Source.UNKNOWN
    clock: ClockName = ClockName.AGENT
    not_before: datetime | None = None
    not_after: datetime | None = None
    compared: str | None = None
    seq: int | None = None


_ORIGINS: Mapping[str, Origin] = {
    "approved": Origin(Source.PERSONNEL, ClockName.PERSONNEL),
    "received": Origin(Source.ACT),
    "durable": Origin(Source.REGISTRY),
    "denied": Origin(Source.DECIDER),
    "last-read": Origin(Source.LOG),
    "last-gone": Origin(Source.PROCESSES),
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants of one revocation. ``last_read`` and ``last_gone`` are ``None`` when there was nothing to end.

    ``durable``: when the fsync of the request had returned. ``denied``: when the decider's acknowledgement of the epoch
    arrived, after which no verdict is older. ``origins``: of the marks whose origin is not the usual one.
    """

    approved: datetime | None
    received: datetime | None
    durable: datetime | None
    denied: datetime | None
    last_read: datetime | None = None
    last_gone: datetime | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin(self, mark: str) -> Origin:
        """Return the origin of the instant of *mark*."""
        return self.origins.get(mark, _ORIGINS[mark])


@dataclass(frozen=True, slots=True)
class DoorMark:
    """A door. ``state`` is ``confirmed`` when it is known to refuse the person; any other word leaves the case open."""

    name: str
    state: str
    at: datetime | None = None
    detail: Sentence = _NOTHING


def needed(cause: str) -> tuple[str, ...]:
    """Return the marks without which a receipt for *cause* is open.

    An expiry was stored when the right was given.
    """
    return ("received", "denied") if cause == "expiry" else ("received", "durable", "denied")


def rows(
    marks: Marks, doors: Iterable[DoorMark] = (), *, cause: str = "departure", now: datetime | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the timeline and the doors as JSON. ``after_us`` counts from *received*, ``None`` when unknown."""
    measured: Mapping[str, datetime | None] = {name: getattr(marks, name.replace("-", "_")) for name in MARKS}
    instants = _in_order(measured, {name: marks.origin(name).clock for name in MARKS}, now)
    start = instants[START]
    timeline = [
        _row(name, at, start, marks.origin(name), cause, lost=at != measured[name]) for name, at in instants.items()
    ]
    refused = [
        {
            "door": visible(door.name),
            "state": door.state,
            "at": written(door.at),
            "after_us": _span(start, door.at),
            "detail": both(door.detail).to_json(),
        }
        for door in doors
    ]
    return timeline, refused


def _row(
    name: str, at: datetime | None, start: datetime | None, origin: Origin, cause: str, *, lost: bool
) -> dict[str, Any]:
    is_known = at is not None
    state = "measured" if is_known else "unordered" if lost else "pending" if name in needed(cause) else "none"
    return {
        "mark": name,
        "at": written(at),
        "after_us": _span(start, at) if origin.clock is ClockName.AGENT else None,
        "state": state,
        "clock": str(origin.clock),
        "source": str(origin.source) if is_known else "",
        "not_before": written(origin.not_before) if is_known else None,
        "not_after": written(origin.not_after) if is_known else None,
        "compared": origin.compared if is_known else None,
        "seq": origin.seq if is_known else None,
    }


def _in_order(
    measured: Mapping[str, datetime | None], clocks: Mapping[str, ClockName], now: datetime | None
) -> dict[str, datetime | None]:
    """Return the instants that do not contradict each other; see the rules of this file."""
    ordered: dict[str, datetime | None] = {}
    for name, at in measured.items():
        ordered[name] = at
        if at is None or clocks[name] is not ClockName.AGENT:
            continue
        earlier = [instant for mark in FOLLOWS[name] if clocks[mark] is ClockName.AGENT and (instant := ordered[mark])]
        if any(at < instant for instant in earlier) or (now is not None and at > now):
            ordered[name] = None
    return ordered


def last_read(
    entries: Iterable[Mapping[str, Any]], person: str, at: Callable[[Mapping[str, Any]], datetime] | None = None
) -> tuple[datetime, int | None] | None:
    """Return instant and number of the last allowed access of *person*, from entries of the access log.

    An access that an area in observe mode would have denied counts as well. Entries of other kinds, and the agent's own
    attempts, are skipped. *at* returns the time of an entry; by default :func:`stamped`.
    """
    when = at or stamped
    times = [
        (when(entry), entry.get("seq"))
        for entry in entries
        if entry.get("kind") == "access"
        and not entry.get("own")
        and person in (entry.get("person"), entry.get("login_person"))
        and (entry.get("verdict") == "allow" or entry.get("enforced") is False)
    ]
    return max(times, key=lambda access: (access[0], access[1] or 0), default=None)


def stamped(entry: Mapping[str, Any]) -> datetime:
    """Return the time of an entry: the judged time where it differs from the wall clock."""
    return datetime.fromisoformat(str(entry.get("judged") or entry["time"]))


def by_boot(now: datetime, boot: int, boot_id: str) -> Callable[[Mapping[str, Any]], datetime]:
    """Return a function for the time of an entry on the agent's clock, which reads *now* at *boot* microseconds.

    An entry of this boot states its age. That counts where the wall clock was behind by less than an entry reports,
    because a deciding instant must not look earlier than it was.
    """

    def at(entry: Mapping[str, Any]) -> datetime:
        stamp = stamped(entry)
        if entry.get("boot") != boot_id or not isinstance(entry.get("mono"), int):
            return stamp
        counted = now - timedelta(microseconds=boot - entry["mono"])
        return counted if timedelta(0) < counted - stamp < _UNTOLD else stamp

    return at


def written(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC with microseconds and ``Z``."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _span(start: datetime | None, at: datetime | None) -> int | None:
    return None if start is None or at is None else (at - start) // timedelta(microseconds=1)
