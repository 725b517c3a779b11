"""Judged time: it follows a clock that is right, and no setting of the clock brings back what has ended.

A small world stands for the machine: boot time goes on, the wall clock is set, the kernel is told that it is right,
the machine is off for a while. What really passed is known to the world, and to nothing that is tested.
"""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.timeline import TOLD, TOLERANCE, Reading, Step, Timeline
from tests.examples import examples

SECOND = 1_000_000_000
MINUTE, HOUR, DAY, YEAR = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, 365 * 86_400 * SECOND
BEGIN = 1_780_000_000 * SECOND


@dataclass
class World:
    """A machine: what really passed, its wall clock's error, and what the agent makes of it."""

    true: int = BEGIN
    boot: int = HOUR
    boots: int = 0
    error: int = 0
    synchronised: bool = False
    timeline: Timeline = field(init=False)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timeline = Timeline.begin(self.reading())

    def reading(self) -> Reading:
        return Reading(self.true + self.error, self.boot, f"boot-{self.boots}", self.synchronised)

    @property
    def judged(self) -> int:
        return self.timeline.judged(self.boot)

    @property
    def wall(self) -> int:
        return self.true + self.error

    def look(self) -> Step | None:
        self.timeline, step = self.timeline.observe(self.reading())
        self.steps += [step] if step else []
        return step

    def wait(self, nanoseconds: int) -> "World":
        self.true += nanoseconds
        self.boot += nanoseconds
        return self

    def set(self, nanoseconds: int) -> Step | None:
        """Put the wall clock ahead, or back; as in the kernel, nothing calls it synchronised any more."""
        self.error += nanoseconds
        self.synchronised = False
        return self.look()

    def reboot(self, off: int, error: int | None = None) -> Step | None:
        self.look()
        self.boots += 1
        self.boot = 5 * SECOND
        self.true += off + self.boot
        self.error = self.error if error is None else error
        self.synchronised = False
        # As in the file that outlives the agent.
        self.timeline = Timeline.from_json(json.loads(json.dumps(self.timeline.to_json())))
        return self.look()


spans = st.one_of(st.integers(1, 5 * SECOND), st.integers(1, 3 * DAY), st.sampled_from([MINUTE, HOUR, YEAR]))
signed = st.builds(lambda span, sign: span * sign, spans, st.sampled_from([1, -1]))
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), spans),
        st.tuples(st.just("set"), signed),
        st.tuples(st.just("right"), st.just(0)),  # by hand, exactly
        st.tuples(st.just("synchronise"), st.just(0)),
        st.tuples(st.just("reboot"), spans),
        st.tuples(st.just("accept"), st.just(0)),
    ),
    max_size=25,
)


def happen(world: World, what: str, span: int) -> Step | None:
    match what:
        case "wait":
            world.wait(span)
        case "set":
            return world.set(max(span, -world.wall))
        case "right":
            return world.set(-world.error)
        case "synchronise":
            world.error, world.synchronised = 0, True
        case "reboot":
            return world.reboot(span)
        case "accept":
            world.timeline, step = world.timeline.accept(world.reading())
            return step
    return world.look()


@given(happenings)
@examples(300)
def test_judged_time_goes_back_only_by_an_accepted_correction_and_never_stands_still(story) -> None:
    world = World()
    for what, span in story:
        before, boot, boots = world.judged, world.boot, world.boots
        step = happen(world, what, span)
        passed = world.boot - boot if world.boots == boots else world.boot
        accepted = step.accepted if step else ""
        if accepted not in ("returned", "synchronised", "officer"):
            # Less than a second is corrected without a word.
            assert world.judged > before + passed - TOLD, (what, step)
        assert world.judged >= world.wall
        here = world.judged
        world.wait(1)
        assert world.judged == here + 1  # whatever the wall clock does


@given(happenings)
@examples(300)
def test_every_step_is_told_and_says_what_became_of_it(story) -> None:
    world = World()
    for what, span in story:
        error, boots, ahead = world.error, world.boots, world.timeline.ahead
        step = happen(world, what, span)
        if boots == world.boots and abs(world.error - error) >= TOLD and what != "accept":
            assert step is not None
            assert step.wall - step.expected == world.error - error
        if step is not None:
            assert step.wall == world.wall
            assert step.judged == world.judged
            assert (step.accepted == "") == (step.judged > step.wall and step.judged == step.before)
        elif boots == world.boots:
            assert abs(world.timeline.ahead - ahead) < TOLD


@given(
    st.integers(10 * MINUTE, YEAR), st.integers(TOLD, 10 * YEAR), st.integers(0, 10 * MINUTE - 1),
    st.integers(-TOLERANCE, TOLERANCE),
)  # fmt: skip
def test_a_step_forward_that_is_corrected_spoils_nothing(held, ahead, wrong, hand) -> None:
    world = World()
    world.wait(held).look()
    step = world.set(ahead)
    assert step is not None
    assert step.accepted == "forward"
    assert world.judged == world.true + ahead
    world.wait(wrong).look()
    if abs(hand - ahead) < TOLD or hand > ahead:  # so small a step is none, or the correction is none
        return
    step = world.set(-ahead + hand)
    assert step is not None
    assert step.accepted == "returned"
    assert world.judged == world.true + max(hand, 0)  # ended before the step is ended still
    assert world.wall == world.true + hand


@given(st.integers(0, YEAR), st.integers(TOLD, BEGIN // 2), st.lists(spans, max_size=10))
def test_a_clock_set_back_revives_nothing(held, back, later) -> None:
    world = World()
    world.wait(held).look()
    end = world.judged  # a grant ends here
    step = world.set(-back)
    assert step is not None
    assert step.accepted == ""
    for span in later:
        assert world.judged >= end
        world.wait(span).look()
    assert world.judged == world.true
    assert world.timeline.since == end


@given(st.integers(0, YEAR), st.integers(TOLD, YEAR), spans)
def test_synchronised_it_follows_the_clock_back(held, back, wrong) -> None:
    world = World(error=back)
    world.wait(held).look()
    world.set(-back)
    world.wait(wrong).look()
    assert world.judged == world.true + back
    world.synchronised = True
    step = world.look()
    assert step is not None
    assert step.accepted == "synchronised"
    assert world.judged == world.wall == world.true
    assert world.timeline.since is None


def test_an_officer_s_word_is_followed_and_asked_for_only_where_there_is_something_to_accept() -> None:
    world = World()
    assert world.timeline.accept(world.reading())[1] is None
    world.set(-DAY)
    world.timeline, step = world.timeline.accept(world.reading())
    assert step is not None
    assert step.accepted == "officer"
    assert world.judged == world.wall
    assert world.timeline.ahead == 0
    assert world.timeline.since is None


def test_what_was_kept_to_for_a_short_time_is_no_place_to_return_to() -> None:
    """A clock that was wrong at the boot, then set right, and is set back to where it was wrong: an attack."""
    world = World(error=-300 * DAY)
    world.wait(MINUTE).look()
    world.set(300 * DAY)
    world.wait(30 * DAY).look()
    step = world.set(-300 * DAY)
    assert step is not None
    assert step.accepted == ""
    assert world.judged == world.true


def test_what_the_kernel_called_synchronised_is_not_returned_from() -> None:
    world = World(error=-DAY)
    world.wait(30 * DAY).look()
    world.set(DAY)
    world.synchronised = True
    world.wait(MINUTE).look()
    step = world.set(-DAY)  # to where it had been for a month
    assert step is not None
    assert step.accepted == ""


def test_several_steps_forward_are_corrected_at_once_or_one_after_the_other() -> None:
    for corrections in ((-3 * DAY,), (-DAY, -2 * DAY)):
        world = World()
        world.wait(YEAR).look()
        world.set(2 * DAY)
        world.wait(HOUR).look()
        world.set(DAY)
        world.wait(MINUTE).look()
        for back in corrections:
            step = world.set(back)
            assert step is not None
            assert step.accepted == "returned"
            world.wait(SECOND).look()
        assert world.judged == world.true


# Over a restart of the machine.


@given(spans, spans)
def test_time_goes_on_where_it_was_when_the_battery_is_dead_and_is_right_again_when_the_clock_is(held, off) -> None:
    world = World()
    world.wait(held).look()
    last = world.judged
    step = world.reboot(off, error=-world.true - off)  # the first of January 1970
    assert step is not None
    assert step.accepted == ""
    assert world.judged == last + world.boot
    world.wait(MINUTE).look()
    assert world.judged == last + world.boot
    world.set(-world.error)
    assert world.judged == world.wall == world.true


def test_where_time_went_on_without_a_clock_is_no_place_to_return_to() -> None:
    """A dead battery, then set right by hand; what was judged by in between is behind by as long as it was off."""
    world = World()
    world.wait(90 * DAY).look()
    world.reboot(3 * DAY, error=-world.true)
    world.wait(MINUTE).look()
    world.set(-world.error)
    end = world.judged
    step = world.set(-3 * DAY)
    assert step is not None
    assert step.accepted == ""
    assert world.judged == end


def test_after_a_restart_the_clock_is_believed_from_where_time_was() -> None:
    world = World()
    assert world.reboot(3 * DAY) is None
    assert world.judged == world.true
    end = world.judged
    step = world.set(-2 * DAY)  # into the time in which the machine was off
    assert step is not None
    assert step.accepted == ""
    assert world.judged == end


@pytest.mark.parametrize("corrected_by_then", [True, False])
def test_a_bad_step_before_a_restart_is_corrected_during_it_or_after_it(corrected_by_then) -> None:
    world = World()
    world.wait(30 * DAY).look()
    world.set(3650 * DAY)
    world.wait(10 * MINUTE).look()
    if corrected_by_then:
        step = world.reboot(DAY, error=0)
    else:
        assert world.reboot(DAY) is None
        world.wait(HOUR).look()
        step = world.set(-world.error)
    assert step is not None
    assert step.accepted == "returned"
    assert world.judged == world.true


def test_a_step_that_was_corrected_before_a_restart_is_no_way_back_into_the_time_the_machine_was_off() -> None:
    """Five seconds forward, by hand, on a machine without NTP; off over the weekend; set back to Saturday."""
    world = World(error=-5 * SECOND)
    world.wait(90 * DAY).look()
    world.set(5 * SECOND)
    world.reboot(2 * DAY)
    end = world.judged
    step = world.set(-DAY)
    assert step is not None
    assert step.accepted == ""
    assert world.judged == end


# Its form.


@given(happenings)
def test_what_is_written_down_is_read_back(story) -> None:
    world = World()
    for what, span in story:
        happen(world, what, span)
    assert Timeline.from_json(json.loads(json.dumps(world.timeline.to_json()))) == world.timeline
    assert len(world.timeline.former) <= 8


@pytest.mark.parametrize(
    "changed",
    [
        {"boot": -1},
        {"boot": "1"},
        {"boot": True},
        {"now": [1]},
        {"now": [1, 2, 3]},
        {"now": [1, -1]},
        {"now": [1 << 80, 1]},
        {"former": [[1, 2, 3]]},
        {"former": None},
        {"wall_offset": 1.5},
        {"since": "x"},
    ],
)
def test_anything_else_is_not_believed(changed) -> None:
    said = World().timeline.to_json()
    with pytest.raises(ValueError, match="not the state"):
        Timeline.from_json({**said, **changed})
    for name in changed:
        with pytest.raises(ValueError, match="not the state"):
            Timeline.from_json({key: value for key, value in said.items() if key != name})
