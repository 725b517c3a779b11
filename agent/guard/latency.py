"""Latency of opens in the guard: the distribution over the last minute, at negligible cost.

Rules of this file: the open path appends one pair to a list and reads no clock for it; counting is done at the tick. A
time is that of a batch, from reading its questions to having answered the last of them, and counts for each open in it.
The wait of a question before it was read is not included. Values are the upper end of their bucket, eight buckets to a
doubling: at most an eighth too high, never too low.
"""

from collections import Counter, deque
from typing import Final, NamedTuple

_PIECE: Final = 5_000_000_000  # nanoseconds; the step by which the minute moves
_PIECES: Final = 12
_FINE: Final = 3  # bits of a value kept after its first


class LatencySummary(NamedTuple):
    """Opens answered, and the nanoseconds that 50 and 99 of 100 did not exceed; ``None`` without opens."""

    opens: int
    p50: int | None
    p99: int | None


class LatencyHistogram:
    """Times of batches, in monotonic nanoseconds."""

    def __init__(self) -> None:
        self.fresh: list[tuple[int, int]] = []  # (nanoseconds, opens), appended by the open path
        self._pieces: deque[tuple[int, Counter[int]]] = deque(maxlen=_PIECES)

    def fold(self, moment: int) -> None:
        """Count the fresh times, and drop those older than a minute."""
        while self._pieces and moment - self._pieces[0][0] >= _PIECE * _PIECES:
            self._pieces.popleft()
        if not self.fresh:
            return
        if not self._pieces or moment - self._pieces[-1][0] >= _PIECE:
            self._pieces.append((moment, Counter()))
        counts = self._pieces[-1][1]
        for span, opens in self.fresh:
            counts[bucket(span)] += opens
        self.fresh.clear()

    def summary(self, moment: int) -> LatencySummary:
        """Return the distribution over the minute before *moment*."""
        self.fold(moment)
        counts: Counter[int] = Counter()
        for _, piece in self._pieces:
            counts.update(piece)
        total = counts.total()
        return LatencySummary(total, _within(counts, total, 50), _within(counts, total, 99))


def bucket(span: int) -> int:
    """Return the bucket of *span*: its value below 16, then eight to a doubling."""
    shift = max(0, span.bit_length() - _FINE - 1)
    return (shift << _FINE) + (span >> shift)


def upper(number: int) -> int:
    """Return the largest span in bucket *number*."""
    shift = max(0, (number >> _FINE) - 1)
    return ((number - (shift << _FINE) + 1) << shift) - 1


def _within(counts: Counter[int], total: int, percent: int) -> int | None:
    """Return the least upper end that *percent* of *total* do not exceed."""
    counted = 0
    for number, count in sorted(counts.items()):
        counted += count
        if counted * 100 >= total * percent:
            return upper(number)
    return None
