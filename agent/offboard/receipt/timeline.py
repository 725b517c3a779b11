"""When each thing ended: every instant taken where the thing happened, in order on one clock.

Rules of this file: pure. An instant that was not measured is ``None`` and says why. Spans are whole microseconds and
are counted from *received*, between instants of the agent's clock only: an instant of another clock has no span.

**Order.** On the agent's clock no mark is earlier than what it follows from (:data:`FOLLOWS`), and none is later than
the receipt. Where it seems to be, the clock was set in between: that instant is then not known, and the mark says so.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from rules.text import Text
from rules.visible import visible

START: Final = "received"
MARKS: Final[Mapping[str, Text]] = {
    "approved": Text("approved", "批准"),
    "received": Text("received", "收到"),
    "durable": Text("stored durably", "持久保存"),
    "denied": Text("denied from here on", "开始拒绝"),
    "last-read": Text("last entry of a read", "最后一条读取记录"),
    "last-gone": Text("last process gone", "最后一个进程消失"),
}
FOLLOWS: Final[Mapping[str, tuple[str, ...]]] = {
    "approved": (),
    "received": ("approved",),
    "durable": ("approved", "received"),
    "denied": ("approved", "received", "durable"),
    "last-read": (),
    "last-gone": ("approved", "received", "durable"),
}
"""What each mark is never earlier than. A read after *denied* is no disorder: it leaves the receipt open."""

_NOTHING = Text("", "")
_UNTOLD = timedelta(seconds=1)  # by so much the wall clock may be behind judged time without an entry saying so


class ClockName(StrEnum):
    """Whose clock an instant is of."""

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
    def text(self) -> Text:
        """The words a person reads."""
        return _SOURCES[self]


_SOURCES: Mapping[Source, Text] = {
    Source.PERSONNEL: Text("as the personnel system says", "据人事系统所述"),
    Source.SOCKET: Text("the request was read", "读到请求"),
    Source.ACT: Text("the act began", "操作开始"),
    Source.SPOOL: Text("the file appeared in the spool", "文件出现在投递目录"),
    Source.DUE: Text("it fell due by itself", "自行到期"),
    Source.HR_STORE: Text("end of the fsync of the store of notices", "通知库 fsync 完成"),
    Source.REGISTRY: Text("end of the fsync of the registry", "登记库 fsync 完成"),
    Source.DECIDER: Text("the decider acknowledged it", "判定进程已确认"),
    Source.LOG: Text("entry of the log", "日志条目"),
    Source.PROCESSES: Text("seen by the agent", "代理所见"),
    Source.UNKNOWN: Text("", ""),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instant comes from. *not_before*, *not_after*: what bounds it where it was not read off the clock.

    *compared*: another clock it was read off (``file-system``), moved to this one by its distance from now. *seq*: the
    number of the entry it is from.
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

    ``durable``: when the fsync of what asks for the end had returned. ``denied``: when the decider's acknowledgement of
    the epoch arrived, after which no verdict is older. ``origins``: of the marks that are not what they mostly are.
    """

    approved: datetime | None
    received: datetime | None
    durable: datetime | None
    denied: datetime | None
    last_read: datetime | None = None
    last_gone: datetime | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin(self, mark: str) -> Origin:
        """Return where the instant of *mark* comes from."""
        return self.origins.get(mark, _ORIGINS[mark])


@dataclass(frozen=True, slots=True)
class DoorMark:
    """A door. ``state`` is ``confirmed`` when it is known to refuse the person; any other word leaves the case open."""

    name: str
    state: str
    at: datetime | None = None
    detail: Text = _NOTHING


def needed(cause: str) -> tuple[str, ...]:
    """Return the marks without which a receipt for *cause* is open.

    What ends by itself was stored when it was given.
    """
    return ("received", "denied") if cause == "expiry" else ("received", "durable", "denied")


def rows(
    marks: Marks, doors: Iterable[DoorMark] = (), *, cause: str = "departure", now: datetime | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the timeline and the doors as JSON. ``after_us`` counts from *received*, ``None`` when unknown."""
    found: Mapping[str, datetime | None] = {name: getattr(marks, name.replace("-", "_")) for name in MARKS}
    instants = _in_order(found, {name: marks.origin(name).clock for name in MARKS}, now)
    start = instants[START]
    timeline = [
        _row(name, at, start, marks.origin(name), cause, lost=at != found[name]) for name, at in instants.items()
    ]
    refused = [
        {
            "door": visible(door.name),
            "state": door.state,
            "at": written(door.at),
            "after_us": _span(start, door.at),
            "detail": {"en": visible(door.detail.en), "zh": visible(door.detail.zh)},
        }
        for door in doors
    ]
    return timeline, refused


def _row(
    name: str, at: datetime | None, start: datetime | None, origin: Origin, cause: str, *, lost: bool
) -> dict[str, Any]:
    known = at is not None
    state = "measured" if known else "unordered" if lost else "pending" if name in needed(cause) else "none"
    return {
        "mark": name,
        "at": written(at),
        "after_us": _span(start, at) if origin.clock is ClockName.AGENT else None,
        "state": state,
        "clock": str(origin.clock),
        "source": str(origin.source) if known else "",
        "not_before": written(origin.not_before) if known else None,
        "not_after": written(origin.not_after) if known else None,
        "compared": origin.compared if known else None,
        "seq": origin.seq if known else None,
    }


def _in_order(
    found: Mapping[str, datetime | None], clocks: Mapping[str, ClockName], now: datetime | None
) -> dict[str, datetime | None]:
    """Return the instants that do not contradict each other; see the rules of this file."""
    kept: dict[str, datetime | None] = {}
    for name, at in found.items():
        kept[name] = at
        if at is None or clocks[name] is not ClockName.AGENT:
            continue
        earlier = [one for mark in FOLLOWS[name] if clocks[mark] is ClockName.AGENT and (one := kept[mark])]
        if any(at < one for one in earlier) or (now is not None and at > now):
            kept[name] = None
    return kept


def last_read(
    entries: Iterable[Mapping[str, Any]], person: str, at: Callable[[Mapping[str, Any]], datetime] | None = None
) -> tuple[datetime, int | None] | None:
    """Return instant and number of the last access of *person* that went through, from entries of the access log.

    What an area in observe mode would have denied went through as well. Entries of other kinds are passed over, and
    what the agent tried itself. *at* says when an entry was made; by default :func:`stamped`.
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
    return max(times, key=lambda one: (one[0], one[1] or 0), default=None)


def stamped(entry: Mapping[str, Any]) -> datetime:
    """Return when an entry says it was made: where the wall clock was not what was judged by, what was."""
    return datetime.fromisoformat(str(entry.get("judged") or entry["time"]))


def by_boot(now: datetime, boot: int, boot_id: str) -> Callable[[Mapping[str, Any]], datetime]:
    """Return what says when an entry was made on the agent's clock, which reads *now* at *boot* microseconds.

    An entry of this boot says how long ago it was made. That counts where the wall clock was behind by less than an
    entry tells of, because what is decided by must not look earlier than it was.
    """

    def at(entry: Mapping[str, Any]) -> datetime:
        said = stamped(entry)
        if entry.get("boot") != boot_id or not isinstance(entry.get("mono"), int):
            return said
        counted = now - timedelta(microseconds=boot - entry["mono"])
        return counted if timedelta(0) < counted - said < _UNTOLD else said

    return at


def written(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC with microseconds and ``Z``."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _span(start: datetime | None, at: datetime | None) -> int | None:
    return None if start is None or at is None else (at - start) // timedelta(microseconds=1)
