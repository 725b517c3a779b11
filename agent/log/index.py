"""The search index of the access log: a projection of the record that can be deleted and rebuilt.

Rules of this file:

* The record is the truth. Nothing here is the only copy of anything, and nothing waits for it.
* ``at`` is an entry's time as stamped, and a clock can be wrong. The files follow each other in the record, not in
  time: one is finished when an entry of another month comes. A month that returns, after a clock was wrong for a while,
  gets another file; but only once the present one holds enough entries, so that a clock moved to and fro does not
  create a file each time.
* Each file records where in the record it begins and ends. Files count as far as they join each other without a gap
  from the beginning of the record; the others (deleted, damaged, cut short) are rebuilt.
* When lines that were indexed are missing from the record, the file that holds them is set aside as ``….displaced``,
  not deleted: after a full disk that is expected, otherwise it is evidence.
* Lines that are no entries are skipped; ``verify`` reports them.
"""

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from agent.log import month, segments, space
from agent.log.month import IndexedEntry, Month, MonthCoverage
from agent.log.segments import ORIGIN, Cursor
from rules.text import Message
from rules.visible import visible

_LIMIT = 1 << 62
_ENOUGH = 1_000  # entries in a file before another file is begun for a month that returns
# The indexed members, before the areas and after them. Areas and rooms share one list of names.
_BEFORE, _AFTER = ("kind", "verdict", "rule"), ("person", "login_person", "own")


class IndexRoomError(OSError):
    """The index would use the space reserved for the log. *text* is the sentence."""

    def __init__(self, free: int, lacking: int) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))
        free_text, lacking_text = f"{free / (1 << 20):.0f} MiB", f"{lacking / (1 << 20):.0f} MiB"
        self.text = Message("log.index-waits-for-space", free=free_text, lacking=lacking_text)


class Indexer:
    """The one writer of an index folder, which it creates if it is missing. For one thread.

    About *chunk* bytes of the record are read at a time; the index grows by whole transactions of that size.

    *displaced* counts the files set aside since opening; see the rules above.
    """

    displaced: int

    def __init__(self, log_folder: Path, index_folder: Path, chunk: int = 256 << 10) -> None:
        self._chunk = chunk
        self._log = log_folder
        self._folder = index_folder
        self._month: Month | None = None
        self._cursor = ORIGIN
        self._opened = False
        self.displaced = 0

    def catch_up(self, limit_seconds: float) -> int:
        """Index the entries appended since, and return their number.

        Continues until nothing is left or *limit_seconds* are over (a few tens of milliseconds later); zero still makes
        progress. Raises OSError and sqlite3.Error (a full disk) with the index as far as it had come.
        """
        deadline = time.monotonic() + limit_seconds
        indexed = 0
        while True:
            if not self._opened or (self._month and not self._month.path.exists()):
                self._open()
            try:
                chunk = segments.read(self._log, self._cursor, self._chunk)
            except segments.DisplacedSegmentError:
                self._displace()
                continue
            if not chunk.lines:
                return indexed
            self._leave_room()
            try:
                indexed += self._take(chunk)
            except BaseException:
                self.close()  # the files record how far they came; this object does not any more
                raise
            if time.monotonic() >= deadline:
                return indexed

    def close(self) -> None:
        """Close the file that is being written."""
        if self._month:
            self._month.close()
        self._month, self._opened = None, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        """Find the files that join each other, delete the others, and set the cursor to the end of the last one."""
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._cursor = ORIGIN
        last = None
        coverages = [(path, month.peek(path)) for path in month.files(self._folder)]
        for path, reach in sorted(coverages, key=_begin):
            if reach and reach.begin[:2] == self._cursor[:2]:
                last, self._cursor = path, reach.end
            else:
                month.delete(path)
        if last:
            self._month = Month(last)
        self._opened = True

    def _leave_room(self) -> None:
        """Raise :class:`IndexRoomError` rather than use the log's reserve, where both share a disk."""
        log, index = os.statvfs(self._log), self._folder.stat()
        if index.st_dev != self._log.stat().st_dev:
            return
        free = log.f_bavail * log.f_frsize
        if lacking := space.short_for_index(free, log.f_blocks * log.f_frsize):
            raise IndexRoomError(free, lacking)

    def _displace(self) -> None:
        """Set the last file aside. Indexing continues from the one before it."""
        if self._month:
            path = self._month.path
            self._month.finish()
            os.replace(path, f"{path}.displaced")
            month.delete(path)
            self.displaced += 1
        self.close()

    def _take(self, chunk: segments.Chunk) -> int:
        """Index the lines of *chunk*, in one transaction for each month they fall in."""
        batch: list[IndexedEntry] = []
        indexed, place = 0, self._cursor
        offset = chunk.begin.offset
        for line in chunk.lines:
            if entry := _entry(line):
                if self._month is None or not self._month.since <= entry.at < self._month.until:
                    batch = self._leave(entry.at, batch, place)
                batch.append(entry)
                indexed += 1
            offset += len(line) + 1
            place = Cursor(chunk.begin.first, offset, line)
        if self._month:
            self._month.add(batch, chunk.end)
        self._cursor = chunk.end
        return indexed

    def _leave(self, at: int, batch: list[IndexedEntry], place: Cursor) -> list[IndexedEntry]:
        """Finish the present file at *place*, and begin the one for *at* there, unless it is too early.

        Returns the part of *batch* that is still to be added.
        """
        path, begin = self._folder / month.file_name(at), ORIGIN
        if self._month:
            if path.exists() and self._month.reach.taken + len(batch) < _ENOUGH:
                return batch
            piece = 2
            while path.exists():
                path, piece = self._folder / month.file_name(at, piece), piece + 1
            self._month.add(batch, place)
            self._month.finish()
            begin = place
        self._month = None
        self._month = Month(path, begin)
        return []


def _begin(coverage: tuple[Path, MonthCoverage | None]) -> tuple[int, int]:
    _, reach = coverage
    return reach.begin[:2] if reach else (-1, 0)


def _entry(line: bytes) -> IndexedEntry | None:
    """Return the indexed fields of *line*; None when it is no entry."""
    head = segments.head(line)
    if head is None or len(line) > segments.MAX_RECORD:
        return None
    try:
        fields = json.loads(line.decode())
        at = _second(head[1][:19]) + int(head[1][20:26])
    except (ValueError, RecursionError):
        return None
    path = fields.get("path")
    area, *further = _areas(fields) or (None,)
    return IndexedEntry(
        head[0],
        at,
        fields.get("enforced") is True,
        (*_terms(fields, _BEFORE), area, *_terms(fields, _AFTER)),
        path if isinstance(path, str) else None,
        line,
        *_clocks(fields, at),
        tuple(further),
    )


def _terms(fields: dict[str, object], names: Iterable[str]) -> list[str | None]:
    return [term if isinstance(term := fields.get(name), str) else None for name in names]


def _areas(fields: dict[str, object]) -> tuple[str, ...]:
    """Return the areas or rooms of an entry, each once: its own, those it lists, those of an act's arguments."""
    areas = [*(_named(fields.get("area")) or _named(fields.get("room"))), *_named(fields.get("areas"))]
    args = fields.get("args")
    if isinstance(args, dict) and fields.get("kind") == "act":
        areas += [name for key in ("area", "room", "areas") for name in _named(args.get(key))]
    return tuple(dict.fromkeys(areas))


def _named(names: object) -> list[str]:
    """Return the names in *value*: one, or a list of them, whole or shortened to its beginning (``first``)."""
    if isinstance(names, str):
        return [names]
    if isinstance(names, dict):
        names = names.get("first")
    named = names if isinstance(names, list) else []
    return [
        name
        for element in named
        if isinstance(name := element.get("area") if isinstance(element, dict) else element, str)
    ]


def _clocks(fields: dict[str, object], at: int) -> tuple[str | None, int, int]:
    """Return boot, boot time and judged time of an entry; an older one has only its stamp."""
    boot, mono, judged = fields.get("boot"), fields.get("mono"), fields.get("judged")
    if not isinstance(boot, str) or not isinstance(mono, int) or not 0 <= mono < _LIMIT:
        return None, 0, at
    if isinstance(judged, str):
        with contextlib.suppress(ValueError):
            return visible(boot), mono, month.microseconds(datetime.fromisoformat(judged))
    return visible(boot), mono, at


@lru_cache(maxsize=4)
def _second(stamp: str) -> int:
    return month.microseconds(datetime.fromisoformat(f"{stamp}Z"))
