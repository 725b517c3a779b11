"""Who waits for the label worker: bounded for each user and each filesystem, and never longer than the deadline."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.guard.parked import AT_ONCE, DEADLINE, FILESYSTEMS, MOST, MOST_OF_ONE, ParkedEvent, ParkedEvents


def event(who: object, since: int = 0, device: int = 1) -> ParkedEvent:
    return ParkedEvent(3, 10, 100, b"/x", str(who), device, since)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(0, DEADLINE), st.booleans()), max_size=300))
def test_every_event_is_answered_or_overdue_exactly_once_and_asked_at_most_once(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    parked, moment = ParkedEvents(), 0
    came = left = 0
    asked: dict[int, int] = {}  # what the worker has, and about which filesystem
    for number, (who, device, later, answers) in enumerate(steps):
        moment += later
        if parked.room_for(str(who)):
            came += 1
            if parked.park(number, event(who, moment, device)):
                assert number not in asked
                asked[number] = device
        if answers and asked:
            oldest = next(iter(asked))
            del asked[oldest]
            left += parked.answered(oldest) is not None
        for late in parked.overdue(moment):
            assert moment - late.since >= DEADLINE
            left += 1
        for question, waiting in parked.next_questions():
            assert question not in asked
            asked[question] = waiting.device
        assert max(Counter(asked.values()).values(), default=0) <= AT_ONCE
        assert len(set(asked.values())) <= FILESYSTEMS
    assert came == left + len(parked)
    left += len(list(parked.overdue(moment + 2 * DEADLINE)))
    assert (came, len(parked)) == (left, 0)


def test_one_user_cannot_take_the_places_of_the_others() -> None:
    parked = ParkedEvents()
    for number in range(MOST_OF_ONE):
        assert parked.room_for("a")
        parked.park(number, event("a", device=number))
    assert not parked.room_for("a")
    assert parked.room_for("b")
    assert MOST_OF_ONE < MOST


def test_a_filesystem_that_never_answers_leaves_threads_to_the_others() -> None:
    parked = ParkedEvents()
    asked = [number for number in range(100) if parked.park(number, event("a", number, device=1))]
    assert len(asked) == AT_ONCE
    assert parked.park(1000, event("b", device=2))
    list(parked.overdue(1000 * DEADLINE))
    assert not parked.park(2000, event("a", device=1))  # those who asked are denied, and the worker still sleeps
    assert list(parked.next_questions()) == []
    parked.answered(0)
    assert [number for number, _ in parked.next_questions()] == [2000]


def test_events_that_wait_are_asked_about_in_their_order() -> None:
    parked = ParkedEvents()
    for number in range(3 * AT_ONCE):
        parked.park(number, event("a"))
    order = []
    for number in range(3 * AT_ONCE):
        assert parked.answered(number) is not None
        order += [question for question, _ in parked.next_questions()]
    assert order == list(range(AT_ONCE, 3 * AT_ONCE))
