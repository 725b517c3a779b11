"""Stage 2 of the access log: what makes the record searchable. A projection: delete it, and it comes back equal.

Rules of this file:

* The record is the truth. Nothing here is the only copy of anything, and nothing waits for it.
* ``at`` is an entry's time, or its predecessor's where the clock was behind that: it never decreases. So the monthly
  files follow each other in sequence, a limit of time is a limit of sequence, and the last file knows where to go on.
* Each file says where in the record it begins and ends. Files count as far as they join each other without a hole from
  the beginning of the record; what does not join (deleted, damaged, cut short) is made again.
* When lines that were indexed are gone from the record, the file that holds them is put aside as ``….displaced``, not
  deleted: after a full disk that is nothing, otherwise it is evidence.
* Lines that are no entries are passed over. Naming them is the business of ``verify``.
"""

import json
import os
import time
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from agent.log import month, segments
from agent.log.month import IndexedEntry, Month
from agent.log.segments import ORIGIN, Cursor

# The members each indexed word is taken from. Areas and rooms share one list of names, and one column.
_WORDS = (("kind",), ("verdict",), ("rule",), ("area", "room"), ("person",), ("login_person",))


class Indexer:
    """The one writer of an index folder, which it makes if it is missing. For one thread.

    *chunk* bytes of the record, about, are taken in at a time; the index grows by whole transactions of that size.

    *displaced* counts the files that were put aside since opening; see the rules above.
    """

    displaced: int

    def __init__(self, log_folder: Path, index_folder: Path, chunk: int = 256 << 10) -> None:
        self._chunk = chunk
        self._log = log_folder
        self._folder = index_folder
        self._month: Month | None = None
        self._cursor, self._at = ORIGIN, 0
        self._opened = False
        self.displaced = 0

    def catch_up(self, limit_seconds: float) -> int:
        """Index what was appended since, and return how many entries that were.

        Goes on until nothing is left or *limit_seconds* are over (a few tens of milliseconds later); zero still makes
        progress. Raises OSError and sqlite3.Error (a full disk) with the index as far as it had come.
        """
        deadline = time.monotonic() + limit_seconds
        done = 0
        while True:
            if not self._opened or (self._month and not self._month.path.exists()):
                self._open()
            try:
                chunk = segments.read(self._log, self._cursor, self._chunk)
            except segments.DisplacedSegmentError:
                self._displace()
                continue
            if not chunk.lines:
                return done
            try:
                done += self._take(chunk)
            except BaseException:
                self.close()  # the files know how far they came; this object does not any more
                raise
            if time.monotonic() >= deadline:
                return done

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
        """Find the files that join each other, delete the others, and stand at the end of the last one."""
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._cursor, self._at = ORIGIN, 0
        last = None
        for path in month.files(self._folder):
            state = month.peek(path)
            if state and state.begin[:2] == self._cursor[:2]:
                last, self._cursor, self._at = path, state.end, state.at
            else:
                month.delete(path)
        if last:
            self._month = Month(last)
        self._opened = True

    def _displace(self) -> None:
        """Put the last file aside. The next one to go on from is the one before it."""
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
        done, place = 0, self._cursor
        offset = chunk.begin.offset
        for line in chunk.lines:
            if entry := _entry(line, self._at):
                if self._month is None or entry.at >= self._month.until:
                    self._turn_to(entry.at, batch, place)
                    batch = []
                batch.append(entry)
                self._at = entry.at
                done += 1
            offset += len(line) + 1
            place = Cursor(chunk.begin.first, offset, line)
        if self._month:
            self._month.add(batch, chunk.end)
        self._cursor = chunk.end
        return done

    def _turn_to(self, at: int, batch: list[IndexedEntry], place: Cursor) -> None:
        """Finish the file that is being written at *place*, and begin the one for *at* there."""
        begin = ORIGIN
        if self._month:
            self._month.add(batch, place)
            self._month.finish()
            begin = place
        self._month = None
        self._month = Month(self._folder / month.file_name(at), begin, self._at)


def _entry(line: bytes, not_before: int) -> IndexedEntry | None:
    """Read what is indexed of *line*; None when it is no entry."""
    head = segments.head(line)
    if head is None or len(line) > segments.MAX_RECORD:
        return None
    try:
        fields = json.loads(line.decode())
        at = _second(head[1][:19]) + int(head[1][20:26])
    except (ValueError, RecursionError):
        return None
    path = fields.get("path")
    return IndexedEntry(
        head[0],
        max(at, not_before),
        fields.get("enforced") is True,
        tuple([next((word for name in names if isinstance(word := fields.get(name), str)), None) for names in _WORDS]),
        path if isinstance(path, str) else None,
        line,
    )


@lru_cache(maxsize=4)
def _second(stamp: str) -> int:
    return month.microseconds(datetime.fromisoformat(f"{stamp}Z"))
