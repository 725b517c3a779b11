"""When each thing ended, on one clock: from the approval to the last process gone and each door.

Rules of this file: pure. An instant that was not measured is ``None`` and says why: nothing to measure, or not yet.
All instants are of the agent's clock, except the approval, which is the personnel system's (``toe``); spans are
therefore counted from *received*, never from *approved*. Spans are whole microseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.text import Text
from rules.visible import visible

START = "received"
MARKS: Mapping[str, Text] = {
    "approved": Text("approved", "批准"),
    "received": Text("received", "收到"),
    "durable": Text("stored durably", "持久保存"),
    "denied": Text("denied from here on", "开始拒绝"),
    "last-read": Text("last read on record", "记录中的最后一次读取"),
    "last-gone": Text("last process gone", "最后一个进程消失"),
}
_NOTHING = Text("", "")
NEEDED = ("received", "durable", "denied")
"""Without these there is nothing that a receipt could say."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants of one revocation. ``last_read`` and ``last_gone`` are ``None`` when there was nothing to end.

    ``denied`` is when the decider's acknowledgement of the epoch arrived: no verdict is older after it.
    """

    approved: datetime | None
    received: datetime | None
    durable: datetime | None
    denied: datetime | None
    last_read: datetime | None = None
    last_gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class DoorMark:
    """A door. ``state`` is ``confirmed`` when it is known to refuse the person; any other word leaves the case open."""

    name: str
    state: str
    at: datetime | None = None
    detail: Text = _NOTHING


def rows(marks: Marks, doors: Iterable[DoorMark] = ()) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the timeline and the doors as JSON. ``after_us`` counts from *received*, ``None`` when unknown."""
    instants = {name: getattr(marks, name.replace("-", "_")) for name in MARKS}
    start = marks.received
    timeline = [
        {
            "mark": name,
            "at": written(at),
            "after_us": _span(start, at) if name != "approved" else None,
            "state": _state(name, at),
            "clock": "personnel" if name == "approved" else "agent",
        }
        for name, at in instants.items()
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


def last_read(entries: Iterable[Mapping[str, Any]], person: str) -> datetime | None:
    """Return the instant of the last access of *person* that went through, from entries of the access log.

    What an area in observe mode would have denied went through as well. Entries of other kinds are passed over. Where
    the wall clock was not what was judged by, the entry says by what, and that is the clock of all other instants.
    """
    times = [
        datetime.fromisoformat(str(entry.get("judged") or entry["time"]))
        for entry in entries
        if entry.get("kind") == "access"
        and person in (entry.get("person"), entry.get("login_person"))
        and (entry.get("verdict") == "allow" or entry.get("enforced") is False)
    ]
    return max(times, default=None)


def written(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC with microseconds and ``Z``."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _span(start: datetime | None, at: datetime | None) -> int | None:
    return None if start is None or at is None else (at - start) // timedelta(microseconds=1)


def _state(name: str, at: datetime | None) -> str:
    if at is not None:
        return "measured"
    return "pending" if name in NEEDED else "none"
