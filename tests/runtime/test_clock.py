"""The edges of the clock: two calls of the kernel's, one file, and everybody who reads it."""

import stat
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.kernel import timex
from agent.runtime.clock import AgentClock, boot_id, boot_time, instant_of, read_clocks
from agent.runtime.clock_file import EVERY, ClockKeeper, FollowedClock, read, write
from agent.runtime.timeline import Reading, Timeline, resumed
from tests.runtime.clocks import DAY, HOUR, SECOND, Clocks


def followed(path: Path, clocks: Clocks) -> FollowedClock:
    return FollowedClock(path, lambda: clocks.wall, lambda: clocks.boot)


def test_the_machine_s_own_clocks_agree_and_go_forward() -> None:
    clock = AgentClock()
    looks = [clock.now() for _ in range(1000)]
    assert looks == sorted(looks)
    assert abs(looks[-1] - time.time_ns()) < SECOND
    assert (clock.seconds_behind, clock.disagrees, clock.steps, clock.jumped) == (0.0, False, [], False)
    assert clock.boot_id == boot_id()
    assert abs(clock.boot - boot_time()) < SECOND


def test_a_step_is_noticed_by_the_next_look_and_handed_over_once() -> None:
    clocks = Clocks()
    clock = clocks.agent()
    assert clock.now() == clocks.wall
    clocks.wait(HOUR)
    clocks.wall += 3650 * DAY
    assert clock.now() == clock.wall == clocks.wall
    assert clock.jumped
    assert [step.accepted for step in clock.steps] == ["forward"]
    clock.steps.clear()
    clock.jumped = False
    clocks.wait(SECOND)
    clocks.wall -= 3650 * DAY
    assert clock.now() == clock.wall == clocks.wall  # stamps and judged time are right again
    assert clock.jumped
    assert [step.accepted for step in clock.steps] == ["returned"]


def test_set_back_it_is_stamped_with_the_wall_clock_and_judged_by_time_that_goes_on() -> None:
    clocks = Clocks()
    clock = clocks.agent()
    end = clock.now()
    clocks.wall -= DAY
    for _ in range(3):
        clocks.wait(HOUR)
        assert clock.now() == end + DAY // 24 * (_ + 1)
        assert clock.wall == clocks.wall
    assert clock.disagrees
    assert clock.seconds_behind == 86_400
    assert not clock.jumped  # nothing that was decided is wrong
    assert clock.accept()
    assert clock.jumped
    assert clock.now() == clocks.wall
    assert not clock.accept()


def test_it_is_corrected_when_the_kernel_says_so_without_another_step() -> None:
    clocks = Clocks()
    clock = clocks.agent()
    clocks.wall -= DAY
    clock.now()
    clock.steps.clear()
    clocks.wait(60 * SECOND)
    clock.compare()
    assert not clock.steps
    clocks.synchronised = True
    clock.compare()
    assert [step.accepted for step in clock.steps] == ["synchronised"]
    assert clock.now() == clocks.wall


def test_a_reading_that_was_interrupted_is_no_step() -> None:
    """Between the two calls this thread may have slept; the closest of some readings tells."""
    clocks, sleeps = Clocks(), [0]

    def wall() -> int:
        if sleeps[0]:
            sleeps[0] -= 1
            clocks.wait(3 * SECOND)
        return clocks.wall

    clock = AgentClock(wall=wall, boot=lambda: clocks.boot)
    sleeps[0] = 3  # in the reading, and in the first two that look again
    assert clock.now() == clocks.wall
    assert not clock.steps


def test_the_kernel_s_word_is_read_and_nothing_is_set() -> None:
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    assert timex.synchronised() in (True, False)
    assert 0 <= time.clock_gettime_ns(time.CLOCK_REALTIME) - before < 60 * SECOND


# The file.


def test_what_is_written_is_read(tmp_path) -> None:
    clock = AgentClock()
    write(tmp_path / "clock.json", clock.timeline)
    assert read(tmp_path / "clock.json") == clock.timeline
    assert [path.name for path in tmp_path.iterdir()] == ["clock.json"]
    assert stat.S_ISREG((tmp_path / "clock.json").stat().st_mode)


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"null", b"\xff", b'{"boot":1}', b"[" * 70_000])
def test_a_file_that_cannot_be_read_counts_as_none(tmp_path, junk) -> None:
    (tmp_path / "clock.json").write_bytes(junk)
    assert read(tmp_path / "clock.json") is None
    assert abs(FollowedClock(tmp_path / "clock.json").now() - time.time_ns()) < SECOND


def test_it_is_written_by_another_thread_as_often_as_given_and_every_ten_minutes(tmp_path) -> None:
    clocks = Clocks()
    clock = clocks.agent()
    keeper = ClockKeeper(tmp_path / "clock.json")
    assert keeper.due(time.monotonic_ns())
    keeper.keep(clock.timeline)
    clocks.wait(DAY)
    clock.compare()
    keeper.keep(clock.timeline)
    assert not keeper.due(time.monotonic_ns())
    assert keeper.due(time.monotonic_ns() + EVERY)
    keeper.close(10)
    assert read(tmp_path / "clock.json") == clock.timeline
    assert "clock" not in [thread.name for thread in threading.enumerate()]


def test_a_folder_that_is_gone_keeps_nobody_waiting(tmp_path) -> None:
    keeper = ClockKeeper(tmp_path / "nowhere" / "clock.json")
    keeper.keep(AgentClock().timeline)
    keeper.close(10)
    assert "clock" not in [thread.name for thread in threading.enumerate()]


# Everybody else.


def test_who_follows_judges_as_the_decider_does_whatever_happens_to_the_clock(tmp_path) -> None:
    clocks, path = Clocks(), tmp_path / "clock.json"
    clock = clocks.agent()
    other = followed(path, clocks)  # before there is a file
    assert other.now() == clock.now()
    for step in (0, 3650 * DAY, -3650 * DAY, -DAY, HOUR, -HOUR, 2 * DAY):
        clocks.wait(HOUR)
        clocks.wall += step
        judged = clock.now()
        write(path, clock.timeline)
        for one in (other, followed(path, clocks)):
            assert one.now() == judged, step
            assert one.ahead() == judged - clocks.wall
        clocks.wait(SECOND)
        assert other.now() == clock.now()


def test_until_it_has_heard_of_a_step_it_takes_the_later_time(tmp_path) -> None:
    clocks, path = Clocks(), tmp_path / "clock.json"
    write(path, clocks.agent().timeline)
    other = followed(path, clocks)
    clocks.wall += DAY
    assert other.now() == clocks.wall
    clocks.wall -= 3 * DAY
    assert other.now() == clocks.wall + 2 * DAY


def test_the_file_of_an_earlier_boot_says_how_late_it_was(tmp_path) -> None:
    path = tmp_path / "clock.json"
    ahead = Reading(time.time_ns() + 30 * DAY, 5 * SECOND, "another")
    write(path, Timeline.begin(ahead))
    # This boot came after that file: the time since it began is gone by as well.
    since_boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert 29 * DAY < FollowedClock(path).ahead() - since_boot < 31 * DAY


# At a start.


def test_an_entry_that_is_newer_than_the_file_counts_and_an_older_one_does_not() -> None:
    clocks = Clocks()
    clock = clocks.agent()
    saved, boot = clock.timeline, clock.boot_id
    old = Reading(clocks.wall - HOUR, clocks.boot - HOUR, boot)
    clocks.wait(HOUR)
    bad = Reading(clocks.wall + 3650 * DAY, clocks.boot, boot)
    clocks.wait(SECOND)
    present = Reading(clocks.wall, clocks.boot, boot)
    assert resumed(saved, old, present) == resumed(saved, None, present)
    known, steps = resumed(saved, bad, present)
    assert [step.accepted for step in steps] == ["forward", "returned"]
    assert known.judged(clocks.boot) == clocks.wall
    known, steps = resumed(None, bad, present)  # no file: nothing says that the entry was wrong
    assert [step.accepted for step in steps] == [""]
    assert known.judged(clocks.boot) == clocks.wall + 3650 * DAY
    assert resumed(None, None, present) == (Timeline.begin(present), ())


@pytest.mark.parametrize("later", [-HOUR, HOUR])
def test_of_two_boots_that_are_over_the_later_time_counts(later) -> None:
    clocks = Clocks()
    saved = Timeline.begin(Reading(clocks.wall, clocks.boot, "first"))
    last = Reading(clocks.wall + later, 7 * SECOND, "")  # an entry of an older program
    present = Reading(clocks.wall - DAY, SECOND, "third")
    known, _ = resumed(saved, last, present)
    assert known.judged(SECOND) == max(clocks.wall + SECOND, clocks.wall + later)


def test_an_entry_of_an_older_program_says_no_more_than_that_it_is_not_earlier() -> None:
    clocks = Clocks()
    last = Reading(clocks.wall + HOUR, 0, "")  # perhaps of this boot, which began five hours ago
    known, _ = resumed(None, last, Reading(clocks.wall, clocks.boot, "this"))
    assert known.judged(clocks.boot) == clocks.wall + HOUR


def test_readings_of_the_machine_are_close() -> None:
    def off() -> int:
        """How far a reading is from one of our own; this thread may sleep in the middle of that, and then it is far."""
        reading = read_clocks(boot_id(), synchronised=False)
        return abs(reading.wall - reading.boot - (time.time_ns() - boot_time()))

    assert min(off() for _ in range(20)) < SECOND // 10


def test_an_instant_is_never_earlier_than_it_was_though_the_clock_is_read_slowly() -> None:
    def slowly() -> datetime:
        read = datetime.now(UTC)
        time.sleep(0.05)  # the thread has to wait: others have the processor
        return read

    before, monotonic = datetime.now(UTC), time.monotonic()
    assert before <= instant_of(monotonic, slowly) < before + timedelta(seconds=0.05)
