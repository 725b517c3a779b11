"""Stretches: pieces of the record in which time goes forward, and the windows of a requested time. Pure.

Entries carry the wall clock as it was, and the clock can be wrong for a while. A *stretch* is a piece of the record in
which the clock was not set: the boot is one, and the wall clock minus boot time stays the same. In it time goes
forward, within :data:`SLACK`, so it can be searched by halving.

Rules of this file:

* An entry is found by its stamp, and also by its real time, where that is known: the judged time of the last stretch of
  the same boot applies to all of that boot. So the opens of an hour in which the clock was ten years ahead are found
  under both, once it was corrected.
* Too many results are better than too few: a query for an hour returns all entries that may have been in it.
* Microseconds throughout; entries of older programs have no boot, and are found by their stamps alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

SLACK = 2_000_000  # a clock that is set by less than half of it goes on in its stretch


class Stretch(NamedTuple):
    """From number *first* on. *wall*, *judged*: the wall clock and judged time minus boot time, if there is a boot."""

    first: int
    boot: str | None
    wall: int
    judged: int


class Window(NamedTuple):
    """Entries with *low* <= seq < *high* whose time is in one of *times*, each from (included) until (excluded)."""

    low: int
    high: int
    times: tuple[tuple[int, int], ...]


def begins_anew(stretch: Stretch, top: int, at: int, boot: str | None, mono: int) -> bool:
    """Return whether an entry at *at* begins another stretch; *top*: the latest time of the present one."""
    if at < top - SLACK or boot != stretch.boot:
        return True
    return boot is not None and abs(at - mono - stretch.wall) > SLACK // 2


def right_ones(stretches: Iterable[Stretch]) -> dict[str, int]:
    """Return judged time minus boot time at the end of each boot. *stretches*: all, in the record's order."""
    return {stretch.boot: stretch.judged for stretch in stretches if stretch.boot is not None}


def windows(stretches: Sequence[Stretch], end: int, right: Mapping[str, int], since: int, until: int) -> list[Window]:
    """Return the windows for times from *since* until *until*, in order. The last stretch ends at *end*."""
    spans = []
    for number, stretch in enumerate(stretches):
        times = [(since, until)]
        shift = right.get(stretch.boot, stretch.wall) - stretch.wall if stretch.boot is not None else 0
        if abs(shift) > SLACK:
            times.append((since - shift, until - shift))
        high = stretches[number + 1].first if number + 1 < len(stretches) else end
        spans.append(Window(stretch.first, high, tuple(times)))
    return spans
