"""Who was inside a room, as the log tells it: pure, from its entries about doors.

Rules of this file: a stay begins with a way in that was allowed and used, and ends with a way out, or when an officer
says so. A release nobody used is no entry and no exit; one whose use nobody knows is a stay that is not ``sure``. What
a badge did, its person may not have done: that is for the reader to know (:data:`LIMITS`). The order is that of the
entries; where the clock was set back meanwhile, a stay may end before it began, and is not sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rules.text import Text

Entry = Mapping[str, Any]

NOT_USED = frozenset(("unused", "failed"))
LIMITS = (
    Text(
        "a stay is what a badge did: who followed through the open door, or lent his badge, is not in the log",
        "停留记录以门禁卡为准：尾随进入者和借卡者不在日志中",
    ),
    Text(
        "who left by the button or a door without a reader stays inside here until he badges, or an officer resets him",
        "按按钮或经无读卡器的门离开者，在其再次刷卡或管理员更正之前仍计为在内",
    ),
    Text(
        "an entry is an open, or the first read after one; when the file was closed is not in the log, so what was "
        "opened before may have been open too: ask with an earlier start",
        "条目表示打开文件（或其后首次读取），日志不含关闭时间：此前打开的文件可能仍处于打开状态，可提前起始时间再查",
    ),
    Text(
        "that a person opened a file does not say he did so in the room: his session may have been elsewhere",
        "人员打开文件不等于在该场所内打开：其会话可能在别处",
    ),
)


@dataclass(frozen=True, slots=True)
class Stay:
    """One person inside, from ``since`` to ``until`` (``None``: no end is known); the numbers of the two entries."""

    person: str
    since: datetime
    door: str
    seq: int
    until: datetime | None = None
    seq_out: int | None = None
    sure: bool = True

    @property
    def backwards(self) -> bool:
        """Whether it ended before it began: the clock was set meanwhile."""
        return self.until is not None and self.until < self.since

    def covers(self, moment: datetime) -> bool:
        """Whether the person was inside at *moment*."""
        if self.backwards:
            return self.until is not None and self.until <= moment <= self.since  # perhaps
        return self.since <= moment and (self.until is None or moment < self.until)

    def meets(self, since: datetime, until: datetime) -> bool:
        """Whether the stay and ``[since, until)`` have an instant in common."""
        if self.backwards:
            return self.until is not None and self.until < until and self.since >= since
        return self.since < until and (self.until is None or self.until > since)


def stays(entries: Iterable[Entry], room: str) -> tuple[Stay, ...]:
    """Return the stays in *room* that *entries*, oldest first, tell of; ordered by their beginning."""
    book = _Book(room)
    for entry in entries:
        book.read(entry)
    told = (replace(stay, sure=stay.sure and not stay.backwards) for stay in book.all)
    return tuple(sorted(told, key=lambda stay: (stay.since, stay.seq)))


class _Book:
    """The stays so far. A release is looked up again when its outcome comes."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._stays: dict[int, Stay] = {}  # by the number of the entry
        self._inside: dict[str, int] = {}
        self._ways: dict[str, list[Entry]] = {}  # by release

    @property
    def all(self) -> Iterable[Stay]:
        return self._stays.values()

    def read(self, entry: Entry) -> None:
        match entry.get("kind"):
            case "door" if entry.get("room") == self._room and entry.get("verdict") == "allow" and entry.get("person"):
                self._way(entry)
            case "door-released" if entry.get("room") == self._room:
                for way in self._ways.pop(str(entry.get("release")), []):
                    self._settled(way, str(entry.get("released")))
            case "act" if entry.get("outcome") == "done":
                self._act(entry)

    def _way(self, entry: Entry) -> None:
        person, seq = str(entry["person"]), int(entry["seq"])
        if entry.get("release"):
            self._ways.setdefault(str(entry["release"]), []).append(entry)
        if entry.get("action") == "enter":
            sure = not entry.get("release")  # until its outcome is read
            self._stays[seq] = Stay(person, _time(entry), str(entry.get("door") or ""), seq, sure=sure)
            self._end(person, entry)  # a second way in without one out: the first stay cannot have gone on
            self._inside[person] = seq
        elif entry.get("action") == "exit":
            self._end(person, entry)

    def _settled(self, way: Entry, outcome: str) -> None:
        person, seq = str(way["person"]), int(way["seq"])
        if way.get("action") == "enter" and seq in self._stays:
            if outcome in NOT_USED:
                del self._stays[seq]
                if self._inside.get(person) == seq:
                    del self._inside[person]
                self._reopen(person, seq)
            elif outcome == "used":
                self._stays[seq] = replace(self._stays[seq], sure=True)
        elif way.get("action") == "exit" and outcome in NOT_USED:
            self._reopen(person, seq)
        elif way.get("action") == "exit" and outcome != "used":
            for begun, stay in self._stays.items():
                if stay.seq_out == seq:
                    self._stays[begun] = replace(stay, sure=False)

    def _act(self, entry: Entry) -> None:
        args = entry.get("args") or {}
        if entry.get("act") == "visitor.exit":
            self._end(str(args.get("person")), entry)
        if entry.get("act") == "occupancy.reset" and args.get("room") == self._room:
            for person in [args["person"]] if args.get("person") else list(self._inside):
                self._end(str(person), entry)

    def _end(self, person: str, entry: Entry) -> None:
        begun = self._inside.pop(person, None)
        if begun is not None and begun in self._stays:
            self._stays[begun] = replace(self._stays[begun], until=_time(entry), seq_out=int(entry["seq"]))

    def _reopen(self, person: str, seq: int) -> None:
        """Undo the end that entry *seq* had put to a stay: that way was not taken."""
        for begun, stay in self._stays.items():
            if stay.person == person and stay.seq_out == seq:
                self._stays[begun] = replace(stay, until=None, seq_out=None)
                self._inside.setdefault(person, begun)


def _time(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry["time"]))
