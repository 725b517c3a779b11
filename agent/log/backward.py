"""Backward reading of the record, and look-up of one entry by its number: at a cost independent of the log's length.

Rules of this file: only whole lines count; an unfinished last one is no entry. Lines that are no entries are skipped;
``verify`` reports them. Nothing is remembered between two calls, so the result is what is on disk. The newest entries
are read first, a window at a time, and the caller stops when it has enough.
"""

import os
from bisect import bisect_right
from collections.abc import Generator, Iterator
from pathlib import Path

from agent.log import segments
from agent.log.segments import Segment

_WINDOW = 64 << 10
_MOST = 4 << 20  # of one window: windows grow, so that a long way back takes few calls
_NEAR = 32 << 10  # bytes in which lines are searched one by one instead of halving further


def lines(folder: Path) -> Generator[tuple[int, bytes]]:
    """Yield number and record of the entries of *folder*, newest first. Raises ``OSError``.

    Entries appended meanwhile are not included.
    """
    for segment in reversed(segments.listing(folder)):
        descriptor = _opened(segment)
        try:
            for line in _reversed(descriptor):
                if head := segments.head(line):
                    yield head[0], line
        finally:
            os.close(descriptor)


def last(folder: Path) -> int:
    """Return the number of the last entry, 0 where there is none. Raises ``OSError``."""
    records = lines(folder)
    try:
        return next((seq for seq, _ in records), 0)
    finally:
        records.close()


def find(folder: Path, seq: int) -> bytes | None:
    """Return the record with number *seq*, ``None`` when there is none; by halving a segment. Raises ``OSError``."""
    listing = segments.listing(folder)
    index = bisect_right(listing, seq, key=lambda segment: segment.first) - 1
    if index < 0:
        return None
    descriptor = _opened(listing[index])
    try:
        low, high = 0, os.fstat(descriptor).st_size  # whole lines begin at *low*; the entry begins before *high*
        while high - low > _NEAR:
            middle = (low + high) // 2
            begin, number = _first_entry(descriptor, middle, high)
            if number is None or number > seq:
                high = middle
            else:
                low = begin
        return _among(os.pread(descriptor, high - low + segments.MAX_RECORD + 1, low), seq)
    finally:
        os.close(descriptor)


def _opened(segment: Segment) -> int:
    return os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)


def _reversed(descriptor: int) -> Iterator[bytes]:
    """Yield the whole lines of a file, the last one first."""
    end, carried, window, whole = os.fstat(descriptor).st_size, b"", _WINDOW, False
    while end:
        begin = max(end - window, 0)
        block = os.pread(descriptor, end - begin, begin) + carried
        *pieces, last = block.split(b"\n")
        if not pieces:
            carried = block  # one line longer than the window
        else:
            if whole:
                yield last
            whole = True  # only the text after the very last line break is unfinished
            yield from reversed(pieces[1:])
            carried = pieces[0]
        end, window = begin, min(2 * window, _MOST)
    if whole:
        yield carried


def _first_entry(descriptor: int, begin: int, end: int) -> tuple[int, int | None]:
    """Return where the first entry that begins behind *begin* and before *end* begins, and its number."""
    block = os.pread(descriptor, min(end - begin, 2 * (segments.MAX_RECORD + 1)) + 64, begin)
    at = block.find(b"\n") + 1
    while at and begin + at < end:
        if head := segments.head(block[at : at + 64]):
            return begin + at, head[0]
        at = block.find(b"\n", at) + 1
    return end, None


def _among(block: bytes, seq: int) -> bytes | None:
    for line in block.split(b"\n")[:-1]:
        head = segments.head(line)
        if head and head[0] == seq:
            return line
    return None
