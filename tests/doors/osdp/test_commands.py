"""What may be sent to a reader, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.doors.osdp import library
from agent.doors.osdp.command import ask_inputs, ask_itself, light, new_key, show, sound, strike
from agent.doors.osdp.command_queue import AWAY, LATE, PATIENCE, CommandQueue, QueuedCommand
from agent.errors import RefusedError
from rules.text import Message


@given(st.floats(0.1, 25.5), st.integers(0, 15))
def test_a_strike_falls_back_by_itself_and_its_time_fits_into_eight_bits(seconds: float, output: int) -> None:
    fields = strike(output, seconds).fields
    assert (fields["control_code"], fields["output_no"]) == (5, output)
    assert 1 <= fields["timer_count"] <= 255
    assert seconds - 1e-6 <= fields["timer_count"] / 10 < seconds + 0.1001


@pytest.mark.parametrize("seconds", [0, 0.09, -1, 25.6, 30, 300, float("nan"), float("inf")])
def test_a_time_that_would_be_cut_is_refused(seconds: float) -> None:
    with pytest.raises(RefusedError):
        strike(0, seconds)


@pytest.mark.parametrize("output", [-1, 16, 255])
def test_an_output_no_reader_has_is_refused(output: int) -> None:
    with pytest.raises(RefusedError):
        strike(output, 5)


def test_no_command_holds_an_output_for_ever() -> None:
    every = [
        strike(0, 5),
        light("green"),
        light("off"),
        sound("alarm"),
        show(Message("rooms.no-pin")),
        new_key(bytes(16)),
    ]
    codes = [one.fields["control_code"] for one in every if one and one.kind == library.OUTPUT_COMMAND]
    assert codes == [5]


def test_what_stays_as_it_is_is_not_sent() -> None:
    assert (light(""), sound(""), show(None), show(Message("common.given", text=""))) == (None, None, None, None)


@given(st.text(max_size=80))
def test_a_text_is_short_and_printable_ascii(said: str) -> None:
    command = show(Message("common.given", text=said))
    if command is not None:
        data = command.fields["data"]
        assert len(data) <= 32
        assert data.isascii()
        assert data.isprintable()


def test_only_what_a_reader_declared_is_possible() -> None:
    def two_outputs(code: int) -> tuple[int, int]:
        return (1, 2) if code == library.OUTPUTS else (0, 0)

    assert strike(1, 5).possible(two_outputs)
    assert not strike(2, 5).possible(two_outputs)
    assert not ask_inputs().possible(two_outputs)
    assert ask_itself().possible(two_outputs)


class Answers(list[tuple[bool, Message | None]]):
    def __call__(self, ok: bool, why: Message | None) -> None:
        self.append((ok, why))


def order(answers: Answers, *, until: float = PATIENCE) -> QueuedCommand:
    return QueuedCommand(strike(0, 5), until, answers)


def test_one_command_is_out_at_a_time_and_a_strike_goes_first() -> None:
    orders, lamp, bolt = CommandQueue(), Answers(), Answers()
    green = light("green")
    assert green is not None
    orders.add(QueuedCommand(green, 2, lamp))
    orders.add(QueuedCommand(green, 2, lamp))
    assert orders.next(0) == green
    orders.add(order(bolt), first=True)
    assert orders.next(0) is None
    orders.completed(ok=True)
    assert orders.next(0) == strike(0, 5)
    orders.completed(ok=False)
    assert [ok for ok, _ in lamp] == [True]
    assert [ok for ok, _ in bolt] == [False]


def test_a_command_that_waited_too_long_is_answered_and_never_sent() -> None:
    orders, answers = CommandQueue(), Answers()
    orders.add(order(answers))
    assert orders.next(PATIENCE) is None
    assert answers == [(False, LATE)]


def test_a_command_that_is_not_acknowledged_in_time_is_answered_once() -> None:
    orders, answers = CommandQueue(), Answers()
    orders.add(order(answers))
    assert orders.next(0) is not None
    assert not orders.overdue(PATIENCE - 0.1)
    assert orders.overdue(PATIENCE)
    assert not orders.overdue(PATIENCE + 1)
    orders.completed(ok=True)
    assert answers == [(False, LATE)]


@given(st.lists(st.sampled_from(["add", "first", "next", "done", "failed", "overdue", "drop"]), max_size=60))
def test_whatever_happens_every_order_is_answered_at_most_once_and_in_the_end_once(acts: list[str]) -> None:
    orders, now, made = CommandQueue(), 0.0, []
    for act in [*acts, "overdue", "done", "drop"]:
        now += 0.3
        if act in ("add", "first"):
            made.append(Answers())
            orders.add(order(made[-1], until=now + PATIENCE), first=act == "first")
        elif act == "next":
            orders.next(now)
        elif act == "overdue":
            orders.overdue(now)
        elif act == "drop":
            orders.drop(AWAY)
        else:
            orders.completed(ok=act == "done")
        assert all(len(answers) <= 1 for answers in made)
    assert all(len(answers) == 1 for answers in made)
