"""Who waits for the label worker: bounded for each user and each filesystem, and never longer than the deadline."""

from hypothesis import given
from hypothesis import strategies as st

from agent.guard.parked import DEADLINE, MOST, MOST_ASKED, MOST_OF_ONE, ParkedEvent, ParkedEvents


def event(who: object, since: int = 0, device: int = 1) -> ParkedEvent:
    return ParkedEvent(3, 10, 100, b"/x", str(who), device, since)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(0, DEADLINE), st.booleans()), max_size=300))
def test_every_event_is_answered_or_overdue_exactly_once(steps: list[tuple[int, int, int, bool]]) -> None:
    parked, moment = ParkedEvents(), 0
    came = left = 0
    for number, (who, device, later, answers) in enumerate(steps):
        moment += later
        if parked.room_for(str(who), device):
            parked.park(number, event(who, moment, device))
            came += 1
        if answers and number:
            left += parked.answered(number - 1) is not None
        for late in parked.overdue(moment):
            assert moment - late.since >= DEADLINE
            left += 1
    assert came == left + len(parked)
    left += len(list(parked.overdue(moment + 2 * DEADLINE)))
    assert (came, len(parked)) == (left, 0)


def test_one_user_cannot_take_the_places_of_the_others() -> None:
    parked = ParkedEvents()
    for number in range(MOST_OF_ONE):
        assert parked.room_for("a", number)
        parked.park(number, event("a", device=number))
    assert not parked.room_for("a", 1)
    assert parked.room_for("b", 1)
    assert MOST_OF_ONE < MOST


def test_a_filesystem_that_never_answers_keeps_no_more_than_its_share() -> None:
    parked, number = ParkedEvents(), 0
    for moment in range(4):
        while parked.room_for(str(number % 7), 1):
            parked.park(number, event(number % 7, moment * 2 * DEADLINE))
            number += 1
        list(parked.overdue((moment + 1) * 2 * DEADLINE))
    assert number == MOST_ASKED
    assert parked.room_for("a", 2)
    parked.answered(0)
    assert parked.room_for("a", 1)
