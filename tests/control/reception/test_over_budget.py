"""Who is told of: whoever asked for much too much, once in a while, and never so often that telling is a cost."""

from hypothesis import given
from hypothesis import strategies as st

from agent.control.reception.over_budget import ENOUGH, EVERY, KEPT, MOST, OTHERS, WITHIN, Excess, OverBudgetBook
from agent.control.rejections import WITHOUT, RejectionBudget

times = st.lists(st.tuples(st.floats(0, 5000), st.integers(1, 40), st.sampled_from(Excess)), max_size=80)


@given(times)
def test_of_one_uid_once_in_ten_minutes_and_of_all_no_more_than_a_dozen_times(
    what: list[tuple[float, int, Excess]],
) -> None:
    book, told = OverBudgetBook(), []
    for now, uid, excess in sorted(what, key=lambda one: one[0]):
        book.note(uid, excess, now, ENOUGH)
        told += [(now, over.uid) for over in book.due(now)]
    for place, (at, uid) in enumerate(told):
        before = [(when, who) for when, who in told[:place] if at - when < EVERY]
        assert uid not in [who for _, who in before]
        assert len(before) < MOST


def test_a_slip_is_nothing_and_what_was_counted_is_told_whole() -> None:
    book = OverBudgetBook()
    book.note(5, Excess.CONNECTIONS, 0.0, ENOUGH - 1)
    assert not book.due(0.0)
    assert not book.due(WITHIN + 1)
    book.note(5, Excess.CONNECTIONS, 100.0)
    assert not book.due(100.0)
    book.note(5, Excess.REQUESTS, 101.0, ENOUGH)
    [over] = book.due(102.0)
    assert (over.uid, over.since) == (5, 100.0)
    assert over.counts == {Excess.CONNECTIONS: 1, Excess.REQUESTS: ENOUGH}
    book.note(5, Excess.REQUESTS, 103.0, ENOUGH)
    assert not book.due(104.0)
    assert [one.since for one in book.due(102.0 + EVERY)] == [103.0]


def test_tens_of_thousands_of_uids_are_counted_together() -> None:
    book = OverBudgetBook()
    for uid in range(10 * KEPT):
        book.note(uid, Excess.CONNECTIONS, 0.0)
    assert len(book._counted) == KEPT + 1  # noqa: SLF001 - memory is what this is about
    assert [over.uid for over in book.due(0.0)] == [OTHERS]


@given(st.lists(st.tuples(st.floats(0, 4000), st.integers(1, 5000)), max_size=400))
def test_refusals_that_become_entries_are_bounded_for_each_uid_and_in_all(asked: list[tuple[float, int]]) -> None:
    budget = RejectionBudget(WITHOUT, 0.0)
    given_to: list[tuple[float, int]] = []
    for now, uid in sorted(asked):
        if budget.take(uid, now):
            given_to.append((now, uid))
    skipped = sum(budget.untold().values())
    assert len(given_to) + skipped == len(asked)
    for at, uid in given_to:
        mine = [one for one in given_to if one[1] == uid and one[0] <= at]
        assert len(mine) <= WITHOUT.burst + at / WITHOUT.refill
    assert len(given_to) <= WITHOUT.burst_of_all + 4000 / WITHOUT.refill_of_all


def test_what_had_no_entry_is_said_in_the_next_one() -> None:
    budget = RejectionBudget(WITHOUT, 0.0)
    assert [budget.take(7, 0.0) for _ in range(WITHOUT.burst + 3)] == [True] * WITHOUT.burst + [False] * 3
    assert budget.take(8, 0.0)  # another has not spent anything
    assert budget.take(7, WITHOUT.refill)
    assert (budget.skipped(7), budget.skipped(7), budget.skipped(8)) == (3, 0, 0)
    for uid in range(100_000, 200_000):
        budget.take(uid, WITHOUT.refill)
    assert len(budget._each) <= 1024  # noqa: SLF001
    assert len(budget.untold()) <= 1024
