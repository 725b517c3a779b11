"""Work that rests takes no more than its share of the time, and rests no longer than it is told."""

from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.time_share import TimeShare


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=30), st.integers(2, 20))
def test_of_the_time_until_the_last_rest_is_over_it_takes_its_part(pieces: list[float], parts: int) -> None:
    share, now = TimeShare(parts), 0.0
    for took in pieces:
        assert not share.rests(now)
        began, now = now, now + took
        share.spent(began, now)
        assert share.rests(now)
        now = share.rests_until
    assert abs(sum(pieces) * parts - now) < 1e-6 * parts * len(pieces)


def test_no_rest_is_longer_than_the_most() -> None:
    share = TimeShare(20, 3.0)
    share.spent(0.0, 100.0)
    assert share.rests(102.9)
    assert not share.rests(103.0)


def test_nothing_rests_before_there_was_any_work() -> None:
    assert not TimeShare(20).rests(0.0)
