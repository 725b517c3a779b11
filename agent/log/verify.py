"""Checking the record, as an auditor would: from the bytes, believing nothing.

Rules of this file:

* It shares no code with what writes the record; the layout is written down here a second time. A mistake in the one is
  not repeated by the other.
* It never changes anything and needs no agent. The log may be in use meanwhile.
* Every deviation is named, with file, line and number; after one it goes on with what stands there.

What is checked: files are called after their first number; numbers count up by one from 1, through all files; every
line is a JSON object of at most 65,535 bytes in UTF-8 that begins with ``seq`` and ``time``; time does not go back.

What no reader of the record alone can see: entries cut off the end at a line break, and a record rewritten with care.
For the first, *known_last* is a number remembered elsewhere, by the index for instance. The second takes signed
checkpoints.
"""

import json
import os
import re
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from rules.text import Text
from rules.visible import visible

_FILE = re.compile(r"(\d{16})\.jsonl", re.ASCII)
_SIDE = re.compile(r"torn-\d+-\d+\.bin", re.ASCII)
_STAMP = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_BEGINNING = re.compile(rb'\{"seq":([1-9][0-9]{0,15}),"time":"(' + _STAMP + rb')"[,}]')
_LONGEST = 65_535
_BLOCK = 4 << 20
_LISTED = 1_000  # problems kept; the others are counted
_PATIENCE, _GLANCE = 10, 0.02  # looks, and seconds between them, at a last line that has no line break

Severity = Literal["error", "warning"]


class Problem(NamedTuple):
    """One deviation. *line* counts from 1, 0 speaks of the file; *seq* is the number that stands or is due there.

    Kinds: ``missing``, ``order`` (repeated or swapped), ``form`` (no entry), ``long``, ``torn`` (no line break at the
    end), ``name``, ``file`` (no plain file, or none of ours), ``short`` (ends before *known_last*); warnings are
    ``time`` (went back) and ``side`` (a torn tail that was put aside).
    """

    file: str
    line: int
    seq: int
    kind: str
    severity: Severity
    text: Text


class Report(NamedTuple):
    """*entries* counts lines in good form; *more* counts problems beyond the first thousand."""

    entries: int
    first: int | None
    last: int | None
    problems: tuple[Problem, ...]
    more: int

    @property
    def ok(self) -> bool:
        """Whether the record is whole. Warnings do not count."""
        return not self.more and all(problem.severity != "error" for problem in self.problems)


def verify(folder: Path, known_last: int | None = None) -> Report:
    """Read the whole record in *folder* and report. Raises OSError when it cannot be read."""
    check = _Check()
    for name in sorted(os.listdir(folder)):
        match = _FILE.fullmatch(name)
        status = os.lstat(folder / name)
        if not match:
            check.stranger(name)
        elif not stat.S_ISREG(status.st_mode):
            check.say(name, 0, int(match[1]), "file", "is not a plain file", "不是普通文件")
        else:
            check.segment(folder / name, int(match[1]))
    if known_last is not None and check.due <= known_last:
        en = f"ends with {check.due - 1}, and {known_last} is known to have existed"
        check.say(folder.name, 0, check.due, "short", en, f"止于第 {check.due - 1} 条，而已知曾有第 {known_last} 条")
    return Report(check.entries, check.first, check.last, tuple(check.problems), check.more)


class _Check:
    """What is known so far: the number that is due, the latest time, and what was wrong."""

    def __init__(self) -> None:
        self.due = 1
        self.entries = self.more = 0
        self.first: int | None = None
        self.last: int | None = None
        self.problems: list[Problem] = []
        self._time = ""
        self._decode = json.JSONDecoder(parse_constant=_refuse).raw_decode

    def stranger(self, name: str) -> None:
        if _SIDE.fullmatch(name):
            en, zh = "holds a torn tail that was put aside at a start", "是启动时移出的残缺尾部"
            self.say(name, 0, self.due, "side", en, zh, "warning")
        elif name != ".lock":
            self.say(name, 0, self.due, "file", "does not belong to the log", "不属于日志")

    def segment(self, path: Path, named: int) -> None:
        name = path.name
        if named != self.due:
            self._jump(name, 0, named)
        for number, (line, ended) in enumerate(_lines(path), 1):
            if ended:
                self._line(name, number, line, named)
            else:
                self.say(name, number, self.due, "torn", "ends without a line break", "末尾没有换行")

    def say(self, file: str, line: int, seq: int, kind: str, en: str, zh: str, severity: Severity = "error") -> None:
        if len(self.problems) >= _LISTED:
            self.more += 1
            return
        shown = visible(file)
        place = (
            Text(f"line {line} of `{shown}`", f"`{shown}` 第 {line} 行") if line else Text(f"`{shown}`", f"`{shown}`")
        )
        self.problems.append(Problem(file, line, seq, kind, severity, Text(f"{place.en} {en}", f"{place.zh}{zh}")))

    def _line(self, file: str, number: int, line: bytes, named: int) -> None:
        match = _BEGINNING.match(line)
        seq, stamp = (int(match[1]), match[2].decode()) if match else (0, "")
        if not self._is_entry(line, seq, stamp):
            self.say(file, number, self.due, "form", "is not an entry", "不是日志条目")
            return
        if len(line) > _LONGEST:
            self.say(file, number, seq, "long", f"has {len(line)} bytes", f"有 {len(line)} 字节")
        if number == 1 and seq != named:
            self.say(file, 1, seq, "name", f"has number {seq}, unlike the file's name", f"编号 {seq} 与文件名不符")
        if seq != self.due:
            self._jump(file, number, seq)
        if stamp < self._time:
            self.say(file, number, seq, "time", "is stamped before its predecessor", "的时间早于前一条", "warning")
        self.entries += 1
        self.first = self.first or seq
        self.last, self.due, self._time = seq, seq + 1, stamp

    def _jump(self, file: str, line: int, seq: int) -> None:
        if seq > self.due:
            en = f"comes after a gap: {self.due} to {seq - 1} are missing"
            self.say(file, line, self.due, "missing", en, f"之前缺少第 {self.due} 至 {seq - 1} 条")
        else:
            self.say(file, line, seq, "order", f"has number {seq}, {self.due} is due", f"编号为 {seq}，应为 {self.due}")
        self.due = seq

    def _is_entry(self, line: bytes, seq: int, stamp: str) -> bool:
        try:
            text = line.decode()
            entry, end = self._decode(text)
            datetime.fromisoformat(stamp)
        except (ValueError, RecursionError):
            return False
        # Keys that occur twice must not tell one reader this and another that.
        return bool(end == len(text) and entry["seq"] == seq and entry["time"] == stamp)


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield each line, and whether a line break ends it; that can be missing behind the last one."""
    with path.open("rb") as file:
        rest = b""
        patience = _PATIENCE
        while patience:
            block = file.read(_BLOCK)
            if block:
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    yield line, True
            elif rest:
                patience -= 1  # the agent may be writing it at this moment
                time.sleep(_GLANCE)
            else:
                return
        yield rest, False


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
