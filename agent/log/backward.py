"""Reading the record from its end, and finding one entry by its number: what costs the same however long the log is.

Rules of this file: only whole lines count; an unfinished last one is no entry. Lines that are no entries are passed
over, because naming them is the business of ``verify``. Nothing is remembered between two calls, so what is read is
what is on disk. The newest entries are read first, a window at a time, and whoever asks stops when it knows enough.
"""

import os
from bisect import bisect_right
from collections.abc import Generator, Iterator
from pathlib import Path

from agent.log import segments
from agent.log.segments import Segment

_WINDOW = 64 << 10
_MOST = 4 << 20  # of one window: windows grow, so that a long way back is few calls
_NEAR = 32 << 10  # bytes in which lines are looked at one by one instead of halving on


def lines(folder: Path) -> Generator[tuple[int, bytes]]:
    """Yield number and record of the entries of *folder*, newest first. Raises ``OSError``.

    What is appended meanwhile is not among them.
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
    found = lines(folder)
    try:
        return next((seq for seq, _ in found), 0)
    finally:
        found.close()


def find(folder: Path, seq: int) -> bytes | None:
    """Return the record with number *seq*, ``None`` when there is none; by halving a segment. Raises ``OSError``."""
    found = segments.listing(folder)
    index = bisect_right(found, seq, key=lambda segment: segment.first) - 1
    if index < 0:
        return None
    descriptor = _opened(found[index])
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
    end, rest, window, whole = os.fstat(descriptor).st_size, b"", _WINDOW, False
    while end:
        begin = max(end - window, 0)
        data = os.pread(descriptor, end - begin, begin) + rest
        *pieces, last = data.split(b"\n")
        if not pieces:
            rest = data  # one line longer than the window
        else:
            if whole:
                yield last
            whole = True  # what lies behind the last line break of all is unfinished, and only that
            yield from reversed(pieces[1:])
            rest = pieces[0]
        end, window = begin, min(2 * window, _MOST)
    if whole:
        yield rest


def _first_entry(descriptor: int, begin: int, end: int) -> tuple[int, int | None]:
    """Return where the first entry that begins behind *begin* and before *end* begins, and its number."""
    data = os.pread(descriptor, min(end - begin, 2 * (segments.MAX_RECORD + 1)) + 64, begin)
    at = data.find(b"\n") + 1
    while at and begin + at < end:
        if head := segments.head(data[at : at + 64]):
            return begin + at, head[0]
        at = data.find(b"\n", at) + 1
    return end, None


def _among(data: bytes, seq: int) -> bytes | None:
    for line in data.split(b"\n")[:-1]:
        head = segments.head(line)
        if head and head[0] == seq:
            return line
    return None
