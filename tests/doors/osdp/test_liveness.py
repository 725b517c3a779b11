"""How it stands with a reader, on a clock of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.doors.osdp.liveness import Do, LinkStatus, Pace, ReaderLiveness, begun, watch

PACE = Pace()  # as a site has it
AWAY = LinkStatus(secure=False, enabled=True, answers=False, other_key=False)
THERE = AWAY._replace(secure=True)
GONE = AWAY._replace(enabled=False)


def test_a_reader_that_comes_is_stale_for_two_seconds() -> None:
    standing, do = watch(begun(0, 1, PACE), THERE, 1.0, 1, PACE)
    assert do is Do.NOTHING
    assert standing.stale(1.0, PACE)
    assert standing.stale(1.0 + 1.999, PACE)
    assert not standing.stale(1.0 + 2.0, PACE)
    assert begun(0, 1, PACE).stale(100, PACE)


def test_a_reader_that_goes_and_comes_is_stale_again() -> None:
    standing, _ = watch(begun(0, 1, PACE), THERE, 1.0, 1, PACE)
    standing, _ = watch(standing, AWAY, 100.0, 1, PACE)
    assert standing.stale(100.0, PACE)
    standing, _ = watch(standing, THERE, 100.5, 1, PACE)
    assert standing.stale(102.4, PACE)
    assert not standing.stale(102.6, PACE)


def simulate(standing: ReaderLiveness, readers: int, until: float, seen: LinkStatus = AWAY) -> list[tuple[float, Do]]:
    """Play libosdp: it lets go one tick after it is asked."""
    done, enabled, now = [], True, 0.0
    while now < until:
        standing, do = watch(standing, seen._replace(enabled=enabled), now, readers, PACE)
        if do is not Do.NOTHING:
            done.append((now, do))
        enabled = (enabled and do is not Do.LET_GO) or do is Do.BEGIN
        now += 0.01
    return done


def test_a_dead_reader_is_begun_with_anew_every_few_seconds_for_ever() -> None:
    done = simulate(begun(0, 1, PACE), 1, 120)
    begins = [at for at, do in done if do is Do.BEGIN]
    assert len(begins) > 20
    assert all(later - earlier < 6 for earlier, later in pairwise(begins))


def test_libosdp_has_a_tenth_of_a_second_between_letting_go_and_beginning() -> None:
    done = simulate(begun(0, 1, PACE), 1, 60)
    for (gone_at, gone), (began_at, began) in zip(done[::2], done[1::2], strict=False):
        assert (gone, began) == (Do.LET_GO, Do.BEGIN)
        assert began_at - gone_at >= 0.1


def test_a_reader_that_was_there_is_begun_with_anew_within_two_seconds() -> None:
    standing, _ = watch(begun(0, 32, PACE), THERE, 0.0, 32, PACE)
    assert simulate(standing, 32, 2)[1][1] is Do.BEGIN


def test_a_full_line_gets_more_time_for_its_handshakes() -> None:
    assert simulate(begun(0, 32, PACE), 32, 60)[0][0] > simulate(begun(0, 1, PACE), 1, 60)[0][0] + 5


def test_the_other_key_is_tried_only_where_there_is_one_and_the_reader_answers_then_seldom() -> None:
    both = AWAY._replace(answers=True, other_key=True)
    assert Do.OTHER_KEY not in {do for _, do in simulate(begun(0, 1, PACE), 1, 60, AWAY._replace(answers=True))}
    assert Do.OTHER_KEY not in {do for _, do in simulate(begun(0, 1, PACE), 1, 60, AWAY._replace(other_key=True))}
    changed = [at for at, do in simulate(begun(0, 1, PACE), 1, 600, both) if do is Do.OTHER_KEY]
    assert changed[0] < 6
    assert 3 <= len(changed) < 12


@given(st.lists(st.tuples(st.sampled_from([AWAY, THERE, GONE]), st.floats(0.001, 3)), max_size=60))
def test_whatever_libosdp_says_beginning_follows_letting_go(seen: list[tuple[LinkStatus, float]]) -> None:
    standing, now, last = begun(0, 1, PACE), 0.0, Do.BEGIN
    for one, span in seen:
        now += span
        standing, do = watch(standing, one, now, 1, PACE)
        if do is Do.BEGIN:
            assert last is Do.LET_GO
        if do is not Do.NOTHING:
            last = do
        assert standing.secure_since is None or one.secure
