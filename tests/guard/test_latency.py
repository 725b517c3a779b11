"""The distribution of what opens take: laws of the buckets, and of the minute that moves on."""

from hypothesis import given
from hypothesis import strategies as st

from agent.guard.latency import LatencyHistogram, LatencySummary, bucket, upper

SPANS = st.integers(0, 1 << 50)
SECOND = 1_000_000_000


@given(SPANS)
def test_a_value_is_told_as_at_most_an_eighth_too_much_and_never_too_little(span: int) -> None:
    assert span <= upper(bucket(span)) <= span + span // 8


@given(SPANS)
def test_buckets_leave_nothing_out_and_do_not_overlap(span: int) -> None:
    number = bucket(span)
    assert bucket(upper(number)) == number
    assert bucket(upper(number) + 1) == number + 1


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(1, 64)), min_size=1))
def test_the_percentiles_are_those_of_the_opens_not_of_the_batches(batches: list[tuple[int, int]]) -> None:
    spans = LatencyHistogram()
    spans.fresh.extend(batches)
    each = sorted(span for span, opens in batches for _ in range(opens))
    told = spans.summary(0)
    for percent, value in ((50, told.p50), (99, told.p99)):
        exact = each[-(-len(each) * percent // 100) - 1]
        assert value is not None
        assert exact <= value <= exact + exact // 8
    assert told.opens == len(each)


def test_what_is_older_than_a_minute_is_forgotten_piece_by_piece() -> None:
    spans = LatencyHistogram()
    for second in range(0, 60, 10):
        spans.fresh.append((100, 1))
        spans.fold(second * SECOND)
    assert spans.summary(59 * SECOND).opens == 6
    assert spans.summary(60 * SECOND).opens == 5
    assert spans.summary(85 * SECOND).opens == 3
    assert spans.summary(200 * SECOND) == LatencySummary(0, None, None)
