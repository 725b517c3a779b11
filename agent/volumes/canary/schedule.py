"""Schedule of canaries: each volume in every period, each area in turn within sixty periods. Pure.

Rules of this file: seconds of a clock that never goes back and counts while the machine sleeps; ``now`` is an argument.
Areas never tried come first, then those tried longest ago. An area whose guard was not seen the last time is tried
again in every round, in addition to the others, but at most as many as these.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

ROUNDS = 60  # of a volume, in which each of its areas is tried
STALE = 2  # periods after which a sighting has expired


@dataclass(frozen=True, slots=True)
class CanaryPeriods:
    """The periods within which each volume and each area is tried, in seconds."""

    volume: float = 60.0

    @property
    def area(self) -> float:
        """The seconds within which each area is tried."""
        return self.volume * ROUNDS


class TriedArea(NamedTuple):
    """An area: its volume, when it was last tried (``None``: never), and whether the guard was seen then."""

    name: str
    volume: str
    tried: float | None
    guard_seen: bool = False


def due(areas: Iterable[TriedArea], periods: CanaryPeriods, now: float) -> tuple[str, ...]:
    """Return the names of the areas to try at *now*."""
    volumes: defaultdict[str, list[TriedArea]] = defaultdict(list)
    for area in areas:
        volumes[area.volume].append(area)
    return tuple(name for those in volumes.values() for name in _of_volume(those, periods, now))


def next_due(areas: Iterable[TriedArea], periods: CanaryPeriods) -> float:
    """Return the next time at which areas are due; minus infinity if one was never tried, infinity without areas."""
    last: dict[str, float] = {}
    for area in areas:
        if area.tried is None:
            return -math.inf
        last[area.volume] = max(last.get(area.volume, area.tried), area.tried)
    return min(last.values(), default=math.inf) + periods.volume


def _of_volume(areas: list[TriedArea], periods: CanaryPeriods, now: float) -> list[str]:
    never = [area.name for area in areas if area.tried is None]
    tried = sorted((area for area in areas if area.tried is not None), key=lambda area: (area.tried or 0.0, area.name))
    last = tried[-1].tried if tried else None
    if last is not None and now < last + periods.volume:  # the same sum as in `next_due`, to the last bit
        return never
    turn = math.ceil(len(areas) / ROUNDS)
    unseen = [area.name for area in tried if not area.guard_seen][:turn]
    return list(dict.fromkeys([*never, *(area.name for area in tried[:turn]), *unseen]))
