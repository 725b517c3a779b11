"""When canaries try what: laws over simulated days, however many areas there are and however late a round comes."""

import itertools
import math
from collections import defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.volumes.canary.schedule import ROUNDS, CanaryPeriods, TriedArea, due, next_due

PERIODS = CanaryPeriods(60.0)
volumes = st.lists(st.integers(1, 200), min_size=1, max_size=3)  # areas of each volume


def site(sizes: list[int]) -> list[TriedArea]:
    return [TriedArea(f"{volume}-{number}", str(volume), None) for volume, n in enumerate(sizes) for number in range(n)]


def run(
    areas: list[TriedArea], begin: float, rounds: int, broken: frozenset[str] = frozenset()
) -> dict[str, list[float]]:
    """Try what is due whenever something is; return when each area was."""
    tried: defaultdict[str, list[float]] = defaultdict(list)
    now = begin
    for _ in range(rounds):
        names = set(due(areas, PERIODS, now))
        for name in names:
            tried[name].append(now)
        areas = [a._replace(tried=now, guard_seen=a.name not in broken) if a.name in names else a for a in areas]
        now = max(now, next_due(areas, PERIODS))
    return tried


@example([5], 1e-05, 0)
@given(volumes, st.floats(0, 1e6), st.integers(0, 5))
def test_each_volume_is_tried_in_each_period_and_each_area_within_sixty(
    sizes: list[int], begin: float, bad: int
) -> None:
    areas = site(sizes)
    broken = frozenset(area.name for area in areas[:bad])
    tried = run(areas, begin, 2 * ROUNDS + 2, broken)
    for area in areas:
        gaps = [b - a for a, b in itertools.pairwise(tried[area.name])]
        assert gaps
        assert max(gaps) <= PERIODS.area + 1e-6
    for volume in range(len(sizes)):
        times = sorted({at for area in areas if area.volume == str(volume) for at in tried[area.name]})
        assert max(b - a for a, b in itertools.pairwise(times)) <= PERIODS.volume + 1e-6


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_a_round_never_tries_more_than_twice_the_turn(size: int, bad: int) -> None:
    areas = [TriedArea(str(n), "v", float(n), guard_seen=n >= bad) for n in range(size)]
    found = due(areas, PERIODS, size + 60.0)
    assert 1 <= len(found) <= 2 * math.ceil(size / ROUNDS)
    assert len(set(found)) == len(found)


def test_what_was_never_tried_is_due_at_once_and_what_was_not_seen_in_every_round() -> None:
    areas = [TriedArea("a", "v", 100.0, guard_seen=True), TriedArea("b", "v", None)]
    assert due(areas, PERIODS, 100.0) == ("b",)
    assert next_due(areas, PERIODS) == -math.inf
    failed = [TriedArea(str(n), "v", 100.0 + n, guard_seen=n != 5) for n in range(10)]
    assert due(failed, PERIODS, 169.0) == ("0", "5")


@pytest.mark.parametrize("now", [100.0, 159.9])
def test_nothing_is_due_before_its_time(now: float) -> None:
    assert due([TriedArea("a", "v", 100.0)], PERIODS, now) == ()
    assert next_due([], PERIODS) == math.inf
