"""A clock that was wrong for a while hides nothing: found by its stamp, and by the time it really was."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.log.index import Indexer
from agent.log.search import Filter, denied_while_observing, query
from agent.log.stretches import SLACK, Stretch, begins_anew, right_ones, windows
from tests.examples import examples
from tests.log.samples import BEGIN, access, write

HOUR = timedelta(hours=1)


class Stamped(NamedTuple):
    """An entry: when it really was, what it was stamped with and judged by."""

    true: datetime
    wall: datetime
    judged: datetime
    boot: str
    mono: int

    def fields(self, **more: object) -> dict[str, object]:
        judged = {} if self.judged == self.wall else {"judged": self.judged.isoformat()}
        return {"mono": self.mono, "boot": self.boot, **judged, **access("E1", "/srv/a", "deny", **more)}


def story(*steps: tuple[int, timedelta, timedelta], boot: str = "9f2c1a7e", begin: datetime = BEGIN) -> list[Stamped]:
    """Return an entry a minute: of each step (how many, error of the wall clock, error of judged time)."""
    found: list[Stamped] = []
    for count, error, judged in steps:
        for _ in range(count):
            minutes = len(found)
            true = begin + timedelta(minutes=minutes)
            found.append(Stamped(true, true + error, true + judged, boot, 3_600_000_000 + minutes * 60_000_000))
    return found


def make(base: Path, told: list[Stamped], **more: object) -> Path:
    (base / "log").mkdir(mode=0o700)
    write(base / "log", ((one.wall, one.fields(**more)) for one in told))
    with Indexer(base / "log", base / "index") as indexer:
        indexer.catch_up(60)
    return base / "index"


def found(index: Path, since: datetime | None, until: datetime | None, **more: object) -> list[int]:
    return [row.seq for row in query(index, Filter(since=since, until=until, **more))][::-1]


NONE, YEARS = timedelta(), timedelta(days=3650)


@pytest.mark.parametrize("years", [YEARS, -YEARS])
def test_an_hour_in_which_the_clock_was_ten_years_off_is_found_under_both_times(tmp_path, years):
    told = story((30, NONE, NONE), (60, years, max(years, NONE)), (30, NONE, NONE))
    index = make(tmp_path, told)
    assert found(index, BEGIN, BEGIN + 3 * HOUR) == list(range(1, 121))
    assert found(index, BEGIN + HOUR, BEGIN + 2 * HOUR) == list(range(61, 121))
    assert found(index, BEGIN + HOUR + years, BEGIN + 2 * HOUR + years) == list(range(61, 91))
    assert found(index, None, BEGIN) == ([] if years > NONE else list(range(31, 91)))
    assert found(index, None, None) == list(range(1, 121))
    assert found(index, BEGIN, BEGIN + 3 * HOUR, limit=7, before_seq=100) == list(range(93, 100))


def test_a_clock_that_is_wrong_still_is_found_by_its_stamps_and_hides_nothing_before(tmp_path):
    index = make(tmp_path, story((30, NONE, NONE), (30, YEARS, YEARS)))
    assert found(index, BEGIN, BEGIN + HOUR) == list(range(1, 31))
    assert found(index, BEGIN + YEARS, BEGIN + YEARS + HOUR)[-30:] == list(range(31, 61))


def test_a_clock_that_is_set_back_still_is_found_by_what_it_is_judged_by(tmp_path):
    index = make(tmp_path, story((30, NONE, NONE), (30, -YEARS, NONE)))
    assert found(index, BEGIN, BEGIN + HOUR) == list(range(1, 61))
    assert found(index, BEGIN - YEARS, BEGIN + HOUR - YEARS) == list(range(31, 61))


def test_boots_are_told_apart(tmp_path):
    first = story((30, NONE, NONE), (30, YEARS, YEARS))
    second = story((30, NONE, NONE), boot="00000001", begin=BEGIN + 2 * HOUR)
    index = make(tmp_path, [*first, *second])
    assert found(index, BEGIN, BEGIN + 9 * HOUR) == [*range(1, 31), *range(61, 91)]


def test_what_would_have_been_denied_is_counted_once_and_by_the_time_it_really_was(tmp_path):
    told = story((30, NONE, NONE), (60, YEARS, YEARS), (30, NONE, NONE))
    index = make(tmp_path, told, enforced=False, area="plans")
    [denied] = denied_while_observing(index, "plans", BEGIN + HOUR)
    assert (denied.times, denied.first.seq, denied.last.seq) == (90, 31, 120)  # ten years ahead is after it, too
    assert denied_while_observing(index, "plans", BEGIN + 2 * YEARS) == ()


errors = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-20_000_000, 20_000_000))


@given(
    st.lists(st.tuples(st.integers(1, 6), errors), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(-30, 60), st.integers(-30, 60)), min_size=8, max_size=8),
)
@examples(40)
def test_a_range_holds_what_is_stamped_in_it_and_what_really_was_in_it(tmp_path_factory, steps, ranges):
    told = story(*((count, timedelta(seconds=error), timedelta(seconds=max(error, 0))) for count, error in steps))
    told += story((1, NONE, NONE), begin=BEGIN + timedelta(minutes=len(told)))  # right in the end
    told[-1] = told[-1]._replace(mono=told[-2].mono + 60_000_000)
    index = make(tmp_path_factory.mktemp("stretches"), told)
    slack = timedelta(microseconds=SLACK)
    for begin, end in ranges:
        since, until = BEGIN + timedelta(minutes=begin), BEGIN + timedelta(minutes=end)
        seen = set(found(index, since, until))
        for number, one in enumerate(told, 1):
            if since <= one.wall < until:
                assert number in seen
            if since + slack <= one.true < until - slack and since + slack <= until - slack:
                assert number in seen
            if number in seen:
                assert any(since - slack <= time < until + slack for time in (one.wall, one.true))


def test_a_clock_that_is_set_by_less_than_a_second_again_and_again_hides_nothing(tmp_path):
    """Virtual machines do that to their guests. The stamps of a stretch are out of order by less than the slack."""
    chance = random.Random(3)
    stamps = [BEGIN + timedelta(seconds=n / 10 + chance.uniform(-0.9, 0.9)) for n in range(400)]
    (tmp_path / "log").mkdir(mode=0o700)
    write(tmp_path / "log", ((one, access("E1", "/srv/a")) for one in stamps))
    with Indexer(tmp_path / "log", tmp_path / "index") as indexer:
        indexer.catch_up(60)
    for _ in range(100):
        since = BEGIN + timedelta(seconds=chance.uniform(-1, 40))
        until = since + timedelta(seconds=chance.uniform(0, 5))
        expected = [number for number, one in enumerate(stamps, 1) if since <= one < until]
        assert found(tmp_path / "index", since, until) == expected


def test_a_stretch_ends_where_the_clock_is_set_or_the_machine_was_started_anew():
    stretch = Stretch(1, "a", 100, 100)
    for at, boot, mono, anew in (
        (1_000_100, "a", 1_000_000, False),
        (1_000_100 + SLACK // 2, "a", 1_000_000, False),
        (1_000_101 + SLACK // 2, "a", 1_000_000, True),
        (1_000_099 - SLACK // 2, "a", 1_000_000, True),
        (1_000_100, "b", 1_000_000, True),
        (1_000_100, None, 0, True),
    ):
        assert begins_anew(stretch, 1_000_000, at, boot, mono) is anew
    old = Stretch(1, None, 0, 0)
    assert not begins_anew(old, 5 * SLACK, 4 * SLACK, None, 0)
    assert begins_anew(old, 5 * SLACK, 4 * SLACK - 1, None, 0)


def test_what_is_no_more_than_noise_is_no_shift():
    stretches = [Stretch(1, "a", 100, 100), Stretch(5, "a", 900, 900), Stretch(9, None, 0, 0)]
    assert right_ones(stretches) == {"a": 900}
    assert [len(window.times) for window in windows(stretches, 12, {"a": 900}, 0, 1)] == [1, 1, 1]
    assert [window[:2] for window in windows(stretches, 12, {}, 0, 1)] == [(1, 5), (5, 9), (9, 12)]
