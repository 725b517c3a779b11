"""When the control process looks at mounts again though nothing has changed."""

from itertools import accumulate, repeat

from agent.control.mount_chore import SOON, next_look


def test_while_a_guard_could_not_be_tried_the_waits_grow_to_the_ordinary_one_and_stay_there() -> None:
    looks = list(accumulate(repeat(None, 8), lambda last, _: next_look(last[1], untried=True), initial=(0.0, SOON)))
    assert [wait for wait, _ in looks[1:]] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_once_nothing_is_left_untried_the_next_trouble_begins_with_the_shortest_wait() -> None:
    assert next_look(30.0, untried=False) == (30.0, SOON)
