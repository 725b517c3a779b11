"""Time in the record, which does not always go forward: where it does, and where a time that is asked for can be. Pure.

Entries carry the wall clock as it was, and the clock can be wrong for a while. A *stretch* is a piece of the record in
which nobody set it: the boot is one, and the wall clock minus boot time stays the same. In it time goes forward, within
:data:`SLACK`, so it can be searched by halving.

Rules of this file:

* An entry is found by the time it is stamped with, and also by the time it really was, where that is known: what the
  last stretch of the same boot was judged by holds for all of that boot. So the opens of an hour in which the clock
  was ten years ahead are found under both, once it was corrected.
* Too much is better than too little: whoever asks for an hour gets all that may have been in it.
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
    """Whether an entry at *at* is in another stretch than the one before it, whose latest time was *top*."""
    if at < top - SLACK or boot != stretch.boot:
        return True
    return boot is not None and abs(at - mono - stretch.wall) > SLACK // 2


def right_ones(stretches: Iterable[Stretch]) -> dict[str, int]:
    """Return for each boot what judged time minus boot time was at its end. *stretches*: all, in the record's order."""
    return {stretch.boot: stretch.judged for stretch in stretches if stretch.boot is not None}


def windows(stretches: Sequence[Stretch], end: int, right: Mapping[str, int], since: int, until: int) -> list[Window]:
    """Return where in the record times from *since* until *until* can be, in order. The last stretch ends at *end*."""
    found = []
    for number, stretch in enumerate(stretches):
        times = [(since, until)]
        shift = right.get(stretch.boot, stretch.wall) - stretch.wall if stretch.boot is not None else 0
        if abs(shift) > SLACK:
            times.append((since - shift, until - shift))
        high = stretches[number + 1].first if number + 1 < len(stretches) else end
        found.append(Window(stretch.first, high, tuple(times)))
    return found
