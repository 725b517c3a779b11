"""Stays of persons in a room, derived from the door entries of the log. Pure.

Rules of this file: a stay begins with an entrance that was allowed and used, and ends with an exit, or by an officer's
act. A release that was not used is no entrance and no exit; one with an unknown outcome makes a stay that is not
``sure``. A badge may have been used by another person: :data:`LIMITS` tells the reader. The order is that of the
entries; where the clock was set back meanwhile, a stay may end before it began, and is not sure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rules.text import Message

Entry = Mapping[str, Any]

NOT_USED = frozenset(("unused", "failed"))
LIMITS = (
    Message("log.stay-follows-badge"),
    Message("log.exit-without-badge"),
    Message("log.opens-without-closes"),
    Message("log.open-proves-no-presence"),
)


@dataclass(frozen=True, slots=True)
class Stay:
    """One person inside, from ``since`` to ``until`` (``None``: no known end); the numbers of the two entries."""

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
    """Return the stays in *room* found in *entries*, oldest first; ordered by their beginning."""
    book = _Book(room)
    for entry in entries:
        book.read(entry)
    settled = (replace(stay, sure=stay.sure and not stay.backwards) for stay in book.all)
    return tuple(sorted(settled, key=lambda stay: (stay.since, stay.seq)))


class _Book:
    """The stays so far. A release is looked up again when its outcome comes."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._stays: dict[int, Stay] = {}  # by the number of the entry
        self._inside: dict[str, int] = {}
        self._passages: dict[str, list[Entry]] = {}  # by release

    @property
    def all(self) -> Iterable[Stay]:
        return self._stays.values()

    def read(self, entry: Entry) -> None:
        match entry.get("kind"):
            case "door" if entry.get("room") == self._room and entry.get("verdict") == "allow" and entry.get("person"):
                self._passage(entry)
            case "door-released" if entry.get("room") == self._room:
                for passage in self._passages.pop(str(entry.get("release")), []):
                    self._settled(passage, str(entry.get("released")))
            case "act" if entry.get("outcome") == "done":
                self._act(entry)

    def _passage(self, entry: Entry) -> None:
        person, seq = str(entry["person"]), int(entry["seq"])
        if entry.get("release"):
            self._passages.setdefault(str(entry["release"]), []).append(entry)
        if entry.get("action") == "enter":
            sure = not entry.get("release")  # until its outcome is read
            self._stays[seq] = Stay(person, _time(entry), str(entry.get("door") or ""), seq, sure=sure)
            self._end(person, entry)  # a second entrance without an exit: the first stay cannot have continued
            self._inside[person] = seq
        elif entry.get("action") == "exit":
            self._end(person, entry)

    def _settled(self, passage: Entry, outcome: str) -> None:
        person, seq = str(passage["person"]), int(passage["seq"])
        if passage.get("action") == "enter" and seq in self._stays:
            if outcome in NOT_USED:
                del self._stays[seq]
                if self._inside.get(person) == seq:
                    del self._inside[person]
                self._reopen(person, seq)
            elif outcome == "used":
                self._stays[seq] = replace(self._stays[seq], sure=True)
        elif passage.get("action") == "exit" and outcome in NOT_USED:
            self._reopen(person, seq)
        elif passage.get("action") == "exit" and outcome != "used":
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
        """Undo the end that entry *seq* had given to a stay: that exit was not used."""
        for begun, stay in self._stays.items():
            if stay.person == person and stay.seq_out == seq:
                self._stays[begun] = replace(stay, until=None, seq_out=None)
                self._inside.setdefault(person, begun)


def _time(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry["time"]))
