"""What one user can make the log grow by, and that no denial is lost on the way."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agent.guard.denial_budget import MOST, OF_ONE, REFILL, SECOND, SLOWEST, WHOLE, WHOLE_A_MINUTE, DenialBudget

STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3 * SECOND), st.booleans()), max_size=200)


@given(STEPS)
def test_every_denial_is_recorded_or_counted(steps: list[tuple[str, int, bool]]) -> None:
    budget = DenialBudget()
    now = recorded = counted = 0
    for who, later, only_counted in steps:
        now += later
        recorded += budget.record(who, b"", now, counted=only_counted)
        counted += sum(due.times for due in budget.due(now))
    counted += sum(due.times for due in budget.due(now + 2 * SLOWEST))
    assert recorded + counted == len(steps)


def flood(budget: DenialBudget, who: str, seconds: int, each: int = 1000, start: int = 0) -> tuple[int, int, int]:
    """Deny *who* each second so many times; return how many entries that made whole, counts, and alarms."""
    whole = counts = alarms = 0
    for second in range(seconds):
        now = (start + second) * SECOND
        whole += sum(budget.record(who, b"", now) for _ in range(each))
        for due in budget.due(now):
            counts += 1
            alarms += due.first
    return whole, counts, alarms


def test_a_day_of_denials_in_a_loop_makes_some_thousand_entries_and_one_alarm() -> None:
    whole, counts, alarms = flood(DenialBudget(), "a", 86_400, each=10)
    assert whole <= WHOLE + 86_400 * SECOND // REFILL
    assert counts < 60
    assert alarms == 1


def test_a_person_gains_nothing_by_a_hundred_areas_and_the_alarm_is_there() -> None:
    budget, recorded, told = DenialBudget(), 0, []
    for second in range(60):
        for area in range(100):
            recorded += sum(
                budget.record(("a", f"{area}"), b"%d" % area, second * SECOND, person="a") for _ in range(10)
            )
        told += list(budget.due(second * SECOND))
    told += list(budget.due(2 * SLOWEST))
    assert recorded <= OF_ONE + 60 * SECOND // REFILL
    assert recorded + sum(due.times for due in told) == 60 * 100 * 10
    assert any(due.first for due in told)
    assert budget.record(("b", "0"), b"", 60 * SECOND, person="b")


def test_the_intervals_grow() -> None:
    budget = DenialBudget()
    for _ in range(WHOLE):
        assert budget.record("a", b"", 0)
    told = []
    for tenth in range(10 * 60):
        now = tenth * SECOND // 10
        budget.record("a", b"", now, counted=True)
        told += [tenth for _ in budget.due(now)]
    assert [later - earlier for earlier, later in itertools.pairwise(told)] == [21, 41, 81, 161]


def test_the_first_count_beyond_the_budget_is_an_alarm_and_a_single_repeat_is_none() -> None:
    budget = DenialBudget()
    budget.record("a", b"", 0)
    budget.record("a", b"", 0, counted=True)
    assert [due.first for due in budget.due(2 * SECOND)] == [False]
    for _ in range(WHOLE + 1):
        budget.record("a", b"last", 3 * SECOND)
    [due] = budget.due(5 * SECOND)
    assert (due.fields, due.first) == (b"last", True)


def test_who_has_been_quiet_is_recorded_whole_again() -> None:
    budget = DenialBudget()
    flood(budget, "a", 10)
    later = 10 * SECOND + (WHOLE + 1) * REFILL
    list(budget.due(later))
    assert budget.record("a", b"", later + REFILL)


def test_thousands_of_users_together_cannot_fill_the_log_either() -> None:
    budget = DenialBudget()
    entries = sum(budget.record(f"u{user}", b"", 0) for user in range(3 * MOST))
    assert entries == WHOLE_A_MINUTE
    assert sum(due.times for due in budget.due(2 * SECOND)) == 3 * MOST - entries
    assert len(list(budget.due(2 * SECOND))) == 0
