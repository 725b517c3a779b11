"""Verification of the record, as an auditor does it: from the bytes, without trust.

Rules of this file:

* It shares no code with the writer of the record; the layout is implemented a second time. A mistake in the one is not
  repeated by the other.
* It never changes anything and needs no agent. The log may be in use meanwhile.
* Every deviation is named, with file, line and number; then checking continues from the present content.
* Files that do not belong to the log are deviations, except the directory that mkfs(8) creates.

Checked: files are named after their first number; numbers count up by one from 1, through all files; every line is a
JSON object of at most 65,535 bytes in UTF-8 that begins with ``seq`` and ``time``. The order of entries is that of
their numbers: where time goes back the clock was set, which is reported and is no fault, however often it happens.

Not visible in the record alone: entries cut off the end at a line break, and a carefully rewritten record. For the
first, *known_last* is a number remembered elsewhere, by the index for instance. The second takes signed checkpoints. A
continued :class:`Pass` sees data that was cut off or exchanged before its position only where the file has become
shorter or another one; the next pass sees the rest.
"""

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from agent.log.batch_check import LONGEST, STAMP, Head, in_order
from rules.text import Message, Sentence

_FILE = re.compile(r"(\d{16})\.jsonl", re.ASCII)
_OF_MKFS = "lost+found"  # fsck(8)'s directory; ext4 creates it when the log is a filesystem of its own
_SIDE = re.compile(r"torn-\d+-\d+\.bin", re.ASCII)
_BEGINNING = re.compile(rb'\{"seq":([1-9][0-9]{0,15}),"time":"(' + STAMP.encode() + rb')"[,}]')
_BLOCK = 1 << 17
_LISTED = 1_000  # problems kept; the others are counted
_STEPS_LISTED = 100  # … of them entries whose time went back
_head = msgspec.json.Decoder(Head).decode
_PATIENCE, _GLANCE = 10, 0.02  # checks, and seconds between them, of a last line without a line break

Severity = Literal["error", "warning"]


class LogProblem(NamedTuple):
    """One deviation. *line* counts from 1, 0 is the file; *seq* is the number found or due there.

    Kinds: ``missing``, ``order`` (repeated or swapped), ``form`` (no entry), ``long``, ``torn`` (no line break at the
    end), ``name``, ``file`` (no plain file, or none of ours), ``short`` (ends before *known_last*); warnings are
    ``time`` (went back) and ``side`` (a torn tail that was put aside).
    """

    file: str
    line: int
    seq: int
    kind: str
    severity: Severity
    text: Sentence

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**self._asdict(), "text": self.text.to_json()}


class LogReport(NamedTuple):
    """*entries* counts well-formed lines; *more* counts problems beyond the first thousand, warnings left out.

    *steps* counts how often time went back from one entry to the next.
    """

    entries: int
    first: int | None
    last: int | None
    problems: tuple[LogProblem, ...]
    more: int
    steps: int = 0

    @property
    def ok(self) -> bool:
        """Whether the record is intact. Warnings do not count."""
        return not self.more and all(problem.severity != "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON: the same from the agent and from the command line without one."""
        return {**self._asdict(), "ok": self.ok, "problems": [problem.to_json() for problem in self.problems]}


def verify(folder: Path, known_last: int | None = None) -> LogReport:
    """Read the whole record in *folder* and report. Raises OSError when it cannot be read."""
    reading = Pass(folder)
    for _ in reading.go_on():
        pass
    for _ in range(_PATIENCE):
        if not reading.unfinished:
            break
        time.sleep(_GLANCE)  # the agent may be writing the last line at this moment
        for _ in reading.go_on():
            pass
    return reading.report(known_last, finished=True)


class Pass:
    """One reading of the record, from its first byte on. It can continue when the record has grown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._check = _Check()
        self._strangers: set[str] = set()
        self._place = _Place("", 0, 0, 0)

    @property
    def reached(self) -> int:
        """The number of the last entry that was read, 0 before the first."""
        return self._check.last or 0

    @property
    def unfinished(self) -> bool:
        """Whether the last line read has no line break."""
        return self._place.remainder > 0

    def report(self, known_last: int | None = None, *, finished: bool = False) -> LogReport:
        """Return the findings so far. A *finished* record has a line break at its end."""
        check, torn = self._check, self._torn() if finished and self.unfinished else ()
        problems, more = [*check.problems, *torn], check.more
        if known_last is not None and check.due <= known_last:
            fault = Message("log.ends-early", last=check.due - 1, expected=known_last)
            problems.append(_problem(self._folder.name, 0, check.due, "short", fault))
        more += max(0, len(problems) - _LISTED)
        return LogReport(check.entries, check.first, check.last, tuple(problems[:_LISTED]), more, check.steps)

    def go_on(self) -> Iterator[int]:
        """Read the record after the position reached; yield after each block. Raises OSError."""
        segments = []
        for name in sorted(os.listdir(self._folder)):
            match = _FILE.fullmatch(name)
            status = os.lstat(self._folder / name)
            if not match:
                self._stranger(name, status)
            elif name >= self._place.file:
                segments.append((name, int(match[1]), status))
        if self._place.file and (not segments or segments[0][0] != self._place.file):
            self._once(self._place.file, "missing", Message("log.file-gone"))
        for name, number, status in segments:
            if not stat.S_ISREG(status.st_mode):
                self._once(name, "file", Message("log.not-a-regular-file"), due=number)
            else:
                yield from self._segment(name, number, status)

    def _segment(self, name: str, number: int, status: os.stat_result) -> Iterator[int]:
        place = self._place
        if name != place.file:
            self._leave()
            if number != self._check.due:
                self._check.jump(name, 0, number)
            place = self._place = _Place(name, status.st_ino, 0, 0)
        if status.st_ino != place.inode or status.st_size < place.offset:
            self._once(name, "short", Message("log.differs-from-earlier-read"))
            return
        with (self._folder / name).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_NOREUSE)  # others need the page cache more
            file.seek(place.offset)
            remainder = b""
            while block := file.read(_BLOCK):
                *lines, remainder = (remainder + block).split(b"\n")
                self._check.lines(name, place.line, lines, number)
                place.line += len(lines)
                place.offset += sum(map(len, lines)) + len(lines)
                yield self.reached
            place.remainder = len(remainder)

    def _leave(self) -> None:
        """Go to the next file: the one before it is not written any more."""
        if self.unfinished:
            self._check.add(self._torn())

    def _torn(self) -> tuple[LogProblem, ...]:
        fault = Message("log.ends-without-line-break")
        return (_problem(self._place.file, self._place.line + 1, self._check.due, "torn", fault),)

    def _stranger(self, name: str, status: os.stat_result) -> None:
        if _SIDE.fullmatch(name):
            self._once(name, "side", Message("log.torn-tail-set-aside"), severity="warning")
        elif name != ".lock" and not _comes_with_a_filesystem(name, status):
            self._once(name, "file", Message("log.foreign-file"))

    def _once(
        self, name: str, kind: str, fault: Sentence, *, due: int | None = None, severity: Severity = "error"
    ) -> None:
        if name not in self._strangers:
            self._strangers.add(name)
            self._check.say(name, 0, self._check.due if due is None else due, kind, fault, severity)


@dataclass(slots=True)
class _Place:
    """The position of a pass: the file, its bytes and lines already read, and the unfinished remainder."""

    file: str
    inode: int
    offset: int
    line: int
    remainder: int = 0


class _Check:
    """The state of the checks: the due number, the latest time, and the problems."""

    def __init__(self) -> None:
        self.due = 1
        self.entries = self.more = self.steps = 0
        self.first: int | None = None
        self.last: int | None = None
        self.problems: list[LogProblem] = []
        self._time = ""

    def say(self, file: str, line: int, seq: int, kind: str, fault: Sentence, severity: Severity = "error") -> None:
        self.add((_problem(file, line, seq, kind, fault, severity),))

    def add(self, problems: Iterable[LogProblem]) -> None:
        for problem in problems:
            if len(self.problems) < _LISTED:
                self.problems.append(problem)
            elif problem.severity == "error":
                self.more += 1

    def lines(self, file: str, before: int, lines: Sequence[bytes], named: int) -> None:
        """Check the lines of *file* after its first *before* ones; *named* is the number in its name."""
        stamp = in_order(lines, self.due, self._time) if before or named == self.due else None
        if stamp is None:
            for number, line in enumerate(lines, before + 1):
                self._line(file, number, line, named)
        else:
            self.entries += len(lines)
            self.first = self.first or self.due
            self.last = self.due + len(lines) - 1
            self.due, self._time = self.last + 1, stamp

    def _line(self, file: str, number: int, line: bytes, named: int) -> None:
        match = _BEGINNING.match(line)
        seq, stamp = (int(match[1]), match[2].decode()) if match else (0, "")
        if not self._is_entry(line, seq, stamp):
            self.say(file, number, self.due, "form", Message("log.not-an-entry"))
            return
        if len(line) > LONGEST:
            self.say(file, number, seq, "long", Message("log.entry-too-long", count=len(line)))
        if number == 1 and seq != named:
            self.say(file, 1, seq, "name", Message("log.number-differs-from-file-name", seq=seq))
        if seq != self.due:
            self.jump(file, number, seq)
        if stamp < self._time:
            self.steps += 1
            if self.steps <= _STEPS_LISTED:
                fault = Message("log.time-before-predecessor", stamp=stamp, predecessor=self._time)
                self.say(file, number, seq, "time", fault, "warning")
        self.entries += 1
        self.first = self.first or seq
        self.last, self.due, self._time = seq, seq + 1, stamp

    def jump(self, file: str, line: int, seq: int) -> None:
        if seq > self.due:
            self.say(file, line, self.due, "missing", Message("log.after-gap", first=self.due, last=seq - 1))
        else:
            self.say(file, line, seq, "order", Message("log.number-unexpected", seq=seq, due=self.due))
        self.due = seq

    def _is_entry(self, line: bytes, seq: int, stamp: str) -> bool:
        try:
            line.decode()  # the parser does not check strings it skips
            head = _head(line)
            datetime.fromisoformat(stamp)
        except (ValueError, RecursionError):
            return False
        # Repeated keys must not give different readers different values.
        return line.endswith(b"}") and (head.seq, head.time) == (seq, stamp)


def _problem(file: str, line: int, seq: int, kind: str, fault: Sentence, severity: Severity = "error") -> LogProblem:
    text = (
        Message("log.line-is", line=line, file=file, fault=fault)
        if line
        else Message("log.file-is", file=file, fault=fault)
    )
    return LogProblem(file, line, seq, kind, severity, text)


def _comes_with_a_filesystem(name: str, status: os.stat_result) -> bool:
    """Return whether mkfs(8) created it: any other file, link or owner of that name is a deviation."""
    return name == _OF_MKFS and stat.S_ISDIR(status.st_mode) and status.st_uid == 0
