"""Numbers out of noise: medians of rounds that took turns.

Rules of this file: pure. The things compared take turns in short rounds on the same machine, so that whatever disturbs
it disturbs all of them; a ratio is taken within a round first, and the median of the rounds' ratios is reported.
Times are nanoseconds.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import median
from typing import NamedTuple

Rounds = Sequence[Sequence[int]]


class Latency(NamedTuple):
    """Medians over the rounds of each round's median and 99th percentile, in nanoseconds.

    ``quiet`` is the tenth percentile of the rounds' medians: what is left when nothing else disturbs the machine.
    """

    median: float
    p99: float
    quiet: float


def latency(rounds: Rounds) -> Latency:
    """Reduce *rounds* of single measurements."""
    medians = [median(one) for one in rounds]
    return Latency(median(medians), median(percentile(one, 99) for one in rounds), percentile(medians, 10))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least *percent* of *values* do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def ratio(rounds: Rounds, against: Rounds) -> float:
    """Return how many times as long *rounds* took as *against*, round by round."""
    return median(median(one) / median(other) for one, other in zip(rounds, against, strict=True))


def by_name(turns: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Rounds]:
    """Turn a sequence of rounds over all names into the rounds of each name."""
    return {name: [turn[name] for turn in turns] for name in turns[0]}
