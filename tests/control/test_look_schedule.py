"""A look follows each change, soon or after a bound; what was asked for waits for nothing."""

from hypothesis import given
from hypothesis import strategies as st

from agent.control.look_schedule import AFTER, BETWEEN, LookSchedule

_TICK = 0.2  # seconds between two steps, which is how often it is asked


def test_a_look_follows_a_change_by_a_moment() -> None:
    times = LookSchedule()
    assert not times.due(5.0, cutting=False)
    times.change(5.0)
    assert not times.due(5.0 + AFTER / 2, cutting=False)
    assert times.due(5.0 + AFTER, cutting=False)
    times.begin()
    assert not times.changed
    assert not times.due(5.0 + AFTER, cutting=False)


def test_cuts_go_first_but_no_look_waits_for_them_for_ever() -> None:
    times = LookSchedule()
    times.change(5.0)
    assert not times.due(5.0 + BETWEEN - _TICK, cutting=True)
    assert times.due(5.0 + BETWEEN, cutting=True)


def test_what_was_asked_for_waits_neither_for_cuts_nor_for_its_share() -> None:
    times = LookSchedule()
    times.end(0.0, 1.0)
    times.change(1.0)
    assert not times.due(1.0 + AFTER, cutting=True)
    times.ask()
    assert times.due(1.0, cutting=True)
    times.begin()
    assert not times.due(1.0, cutting=True)


@given(
    st.lists(st.tuples(st.floats(0.01, 3.0), st.booleans(), st.booleans(), st.booleans()), max_size=60),
    st.floats(0.0, 4.0),
)
def test_no_change_waits_longer_than_the_bound_and_looks_take_their_share(
    steps: list[tuple[float, bool, bool, bool]], takes: float
) -> None:
    times, now, since, asked, worked = LookSchedule(), 0.0, None, False, 0.0
    for passed, change, cutting, ask in steps:
        now += passed
        if change:
            times.change(now)
            since = now if since is None else since
        if ask and not asked:
            times.ask()
        asked = asked or ask
        if times.due(now, cutting=cutting):
            assert since is not None or asked
            worked += 0.0 if asked else takes
            times.begin()
            began, now, since, asked = now, now + takes, None, False
            times.end(began, now)
        else:
            assert not asked
            assert since is None or now - since < 2 * BETWEEN  # a rest that began before it, and the bound
    assert worked <= takes + now / 2


def test_in_a_series_of_changes_a_fifth_of_the_time_goes_into_looks() -> None:
    times, now, worked = LookSchedule(), 0.0, 0.0
    while now < 100.0:
        times.change(now)
        if times.due(now, cutting=False):
            times.begin()
            times.end(now, now + 1.0)
            worked, now = worked + 1.0, now + 1.0
        now += _TICK
    assert 15.0 <= worked <= 21.0
