"""Segments: the layout of the record on disk, and reading it. ``verify`` implements the layout a second time on
purpose.

Rules of this file:

* A segment is a file ``<sequence number of its first entry, 16 digits>.jsonl``. Segments follow each other without a
  gap, and only the last one grows.
* One line is one entry: UTF-8 JSON without a newline in it, at most :data:`MAX_RECORD` bytes, then ``\\n``. The bytes
  before the newline are the record. It begins ``{"seq":N,"time":"…Z"``.
* Bytes after the last newline are not an entry yet. No reader here returns them.
* A whole line can be undone in one case: the disk was full and its batch was cut off again (see ``append``), or the
  power was cut before the batch was durable. So a reader that stops and continues later carries the last line it has
  seen in its :class:`Cursor`, and gets :exc:`DisplacedSegmentError` when that line is missing.
"""

import contextlib
import os
import re
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

MAX_RECORD = 65_535  # bytes, without the newline: an entry bundle of C2SP tlog-tiles has a 16-bit length prefix
CHUNK = 4 << 20  # bytes read at a time

_NAME = re.compile(r"([0-9]{16})\.jsonl")
_HEAD = re.compile(rb'\{"seq":([0-9]{1,16}),"time":"([0-9T:.-]{26}Z)"[,}]')


class DisplacedSegmentError(Exception):
    """The line before a cursor was undone: copies of the log must be read again."""


class Segment(NamedTuple):
    """One file of the record."""

    first: int
    path: Path


class Cursor(NamedTuple):
    """A position between two lines: *offset* bytes into segment *first*, after the line *last*."""

    first: int
    offset: int
    last: bytes


class Chunk(NamedTuple):
    """Whole lines without their newlines, and the positions before and after them (both in one segment)."""

    lines: list[bytes]
    begin: Cursor
    end: Cursor


ORIGIN = Cursor(0, 0, b"")


def name(first: int) -> str:
    """Return the file name of the segment that begins with sequence number *first*."""
    return f"{first:016d}.jsonl"


def listing(folder: Path) -> tuple[Segment, ...]:
    """Return the segments of *folder* in sequence. Raises OSError when the folder cannot be read."""
    matches = (match for file in os.listdir(folder) if (match := _NAME.fullmatch(file)))
    return tuple(sorted(Segment(int(match[1]), folder / match[0]) for match in matches))


def head(line: bytes) -> tuple[int, str] | None:
    """Return sequence number and time stamp of an entry, or None for a line with another beginning."""
    match = _HEAD.match(line)
    return (int(match[1]), match[2].decode("ascii")) if match else None


def read(folder: Path, cursor: Cursor, limit: int = CHUNK) -> Chunk:
    """Return the whole lines after *cursor*, about *limit* bytes of them; no lines means there are none now.

    A folder without segments reads as empty. Raises :exc:`DisplacedSegmentError` (see above) and OSError.
    """
    # Listing before reading: a segment that had a successor before it was read has been read to its true end.
    segments = listing(folder)
    index = bisect_right(segments, cursor.first, key=_first) - 1
    if not cursor.offset and (index < 0 or segments[index].first != cursor.first):
        index += 1  # nothing was read of that segment, so the next existing one is used
        cursor = Cursor(segments[index].first, 0, b"") if index < len(segments) else cursor
    elif index < 0 or segments[index].first != cursor.first:
        raise DisplacedSegmentError
    for segment in segments[index:]:
        if segment.first != cursor.first:
            cursor = Cursor(segment.first, 0, b"")
        block = _whole_lines(segment.path, cursor, limit)
        if block:
            lines = block[:-1].split(b"\n")
            return Chunk(lines, cursor, Cursor(segment.first, cursor.offset + len(block), lines[-1]))
    return Chunk([], cursor, cursor)


def seek(folder: Path, seq: int) -> Cursor:
    """Return the position before entry *seq*, or where it would be. Raises OSError.

    Entries are found by their numbers, in the segment whose name says that it holds *seq*.
    """
    segments = listing(folder)
    index = max(bisect_right(segments, seq, key=_first) - 1, 0)
    if not segments:
        return ORIGIN
    cursor = Cursor(segments[index].first, 0, b"")
    while True:
        chunk = read(folder, cursor)
        if not chunk.lines or chunk.begin.first != segments[index].first:
            return cursor
        for line in chunk.lines:
            entry_head = head(line)
            if entry_head and entry_head[0] >= seq:
                return cursor
            cursor = Cursor(chunk.begin.first, cursor.offset + len(line) + 1, line)


def _first(segment: Segment) -> int:
    return segment.first


def _whole_lines(path: Path, cursor: Cursor, limit: int) -> bytes:
    with contextlib.ExitStack() as stack:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        stack.callback(os.close, descriptor)
        if cursor.offset:
            expected = cursor.last + b"\n"
            if os.pread(descriptor, len(expected), cursor.offset - len(expected)) != expected:
                raise DisplacedSegmentError
        while True:
            block = os.pread(descriptor, limit, cursor.offset)
            end = block.rfind(b"\n") + 1
            if end or len(block) < limit:
                return block[:end]
            limit *= 2  # one line longer than the limit: only damage makes those, and ``verify`` names it
