"""Judged time, derived from two clocks that may disagree. Pure: every instant is an argument.

The wall clock (``CLOCK_REALTIME``) can be set to anything. Boot time (``CLOCK_BOOTTIME``, clock_gettime(2)) only goes
forward, also while the machine sleeps, and is slewed together with the wall clock (adjtimex(2)): so *wall minus boot
time* is constant until the wall clock is set, and each change of it is a step. A :class:`Trajectory` is such a
constant; judged time is boot time plus the trajectory in force.

Rules of this file:

* Judged time follows the wall clock forward at once. Setting it ahead ends grants, and gains nothing.
* When the wall clock goes back behind the trajectory, the trajectory goes on: judged time neither goes back nor stands
  still, and no grant that has ended comes back to life.
* It follows the wall clock back in three cases: the wall clock *returned* to a former trajectory, which it had kept to
  for longer than to any later one (a step forward is undone); the kernel's clock is *synchronised* (NTP), which every
  setting of the clock by hand ends; an *officer* has accepted it.
* A machine that was off has spent an unknown time: its wall clock is believed from the last judged time on.
* Nanoseconds throughout; instants of the wall clock and judged ones since 1970, boot time since the boot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

TOLD = 1_000_000_000  # a smaller change is followed, and is not reported as a step
TOLERANCE = 120_000_000_000  # this near to a former trajectory counts as back on it: clocks set by hand are no nearer
_MOST = 8  # former trajectories remembered
_LIMIT = 1 << 62

Accepted = Literal["forward", "returned", "synchronised", "officer", ""]


class Reading(NamedTuple):
    """Both clocks at one moment. *synchronised*: the kernel's clock is, according to adjtimex(2)."""

    wall: int
    boot: int
    boot_id: str
    synchronised: bool = False


class Trajectory(NamedTuple):
    """*offset*: judged time minus boot time. *held*: for how long the wall clock kept to it."""

    offset: int
    held: int


class Step(NamedTuple):
    """A change of the wall clock, or of judged time.

    *expected* and *wall*: the expected and the actual reading of the wall clock. *before* and *judged*: the same for
    judged time. *accepted*: why judged time follows the wall clock now; ``""`` when it does not.
    """

    expected: int
    wall: int
    before: int
    judged: int
    accepted: Accepted


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything known at the last observation, at boot time *boot* of the boot *boot_id*.

    *wall_offset*: the wall clock minus boot time. *former*: trajectories left by a step forward, oldest first, each
    held for longer than the next. *since*: the judged time at which the wall clock fell behind it, ``None`` if it has
    not by a second.
    """

    boot_id: str
    boot: int
    wall_offset: int
    now: Trajectory
    former: tuple[Trajectory, ...] = ()
    since: int | None = None

    @classmethod
    def begin(cls, reading: Reading) -> "Timeline":
        """Return the timeline without any earlier knowledge: the wall clock."""
        offset = reading.wall - reading.boot
        return cls(reading.boot_id, reading.boot, offset, Trajectory(offset, 0))

    def judged(self, boot: int) -> int:
        """Return the judged time at boot time *boot*."""
        return boot + self.now.offset

    @property
    def ahead(self) -> int:
        """The nanoseconds by which judged time is ahead of the wall clock: 0 in good order."""
        return self.now.offset - self.wall_offset

    def observe(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Return the timeline after *reading*, and the step it shows, if any."""
        if reading.boot_id != self.boot_id or reading.boot < self.boot:
            return self._after_boot(reading)
        continued = self._continue(reading)
        offset = reading.wall - reading.boot
        if offset >= continued.now.offset:
            timeline = continued._forward(offset, reading)  # noqa: SLF001
            accepted: Accepted = "forward"
        else:
            timeline, accepted = continued._back(offset, reading, exact=True)  # noqa: SLF001
        return self._with_step(timeline, reading, self.wall_offset, accepted)

    def accept(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Follow the wall clock as it is, by an officer's decision. ``None``: it is followed already."""
        observed, _ = self.observe(reading)
        if observed.ahead <= 0:
            return observed, None
        followed = observed._at(observed.wall_offset)  # noqa: SLF001
        step = Step(reading.wall, reading.wall, observed.judged(reading.boot), followed.judged(reading.boot), "officer")
        return followed, step

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "boot_id": self.boot_id,
            "boot": self.boot,
            "wall_offset": self.wall_offset,
            "now": list(self.now),
            "former": [list(trajectory) for trajectory in self.former],
            "since": self.since,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Timeline":
        """Read the output of :meth:`to_json`. Raises ValueError for anything else."""
        try:
            now = Trajectory(*map(_whole, state["now"]))
            former = tuple(Trajectory(*map(_whole, trajectory)) for trajectory in state["former"])
            since = None if state["since"] is None else _whole(state["since"])
            timeline = cls(
                str(state["boot_id"]), _whole(state["boot"]), _whole(state["wall_offset"]), now, former[:_MOST], since
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not the state of a clock") from error
        if timeline.boot < 0 or min(trajectory.held for trajectory in (now, *former)) < 0:
            raise ValueError("not the state of a clock")
        return timeline

    def _continue(self, reading: Reading) -> "Timeline":
        """Add the time since the last observation, if the wall clock kept to the trajectory."""
        held = self.now.held + (reading.boot - self.boot if self.ahead < TOLD else 0)
        return replace(self, boot=reading.boot, now=Trajectory(self.now.offset, held))

    def _forward(self, offset: int, reading: Reading) -> "Timeline":
        now, former = Trajectory(offset, self.now.held), self.former
        if offset - self.now.offset >= TOLD:
            if self.ahead < TOLD:  # else the wall clock was wrong before, and this step leaves no right one
                former = (*(trajectory for trajectory in former if trajectory.held > self.now.held), self.now)[:_MOST]
            now = Trajectory(offset, 0)
        # A synchronised clock was not set by hand: there is nothing to return to.
        return replace(self, wall_offset=offset, now=now, former=() if reading.synchronised else former)

    def _back(self, offset: int, reading: Reading, *, exact: bool) -> tuple["Timeline", Accepted]:
        """Continue without the wall clock, unless there is a reason to follow it back."""
        if reading.synchronised:
            return self._at(offset), "synchronised"
        place = self._returned(offset, exact=exact)
        if place is None:
            return replace(self, wall_offset=offset), ""
        old = self.former[place]
        now = Trajectory(max(old.offset, offset), old.held)  # never earlier than the former trajectory at present
        return replace(self, wall_offset=offset, now=now, former=self.former[:place]), "returned"

    def _returned(self, offset: int, *, exact: bool) -> int | None:
        """Return the position of the former trajectory that *offset* has returned to."""
        for place in reversed(range(len(self.former))):
            old = self.former[place]
            if (
                old.held > self.now.held
                and old.offset - TOLERANCE <= offset
                and (not exact or offset <= old.offset + TOLERANCE)
            ):
                return place
        return None

    def _at(self, offset: int) -> "Timeline":
        """Judge by the wall clock as it is: earlier trajectories do not count any more."""
        near = [trajectory.held for trajectory in self.former if abs(trajectory.offset - offset) <= TOLERANCE]
        now = Trajectory(offset, max(near, default=0))
        return replace(self, wall_offset=offset, now=now, former=(), since=None)

    def _after_boot(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Continue in another boot, whose boot time began anew after an unknown time."""
        rebased = Timeline(
            reading.boot_id,
            reading.boot,
            self.boot + self.wall_offset,
            self.now._replace(offset=self.boot + self.now.offset),
            tuple(trajectory._replace(offset=self.boot + trajectory.offset) for trajectory in self.former),
            self.since,
        )
        offset = reading.wall - reading.boot
        off = offset - rebased.now.offset
        if off >= 0:
            former = tuple(trajectory._replace(offset=trajectory.offset + off) for trajectory in rebased.former)
            now = rebased.now._replace(offset=offset)
            timeline = replace(rebased, wall_offset=offset, now=now, former=() if reading.synchronised else former)
            return replace(timeline, since=None), None  # the machine was off for that time
        timeline, accepted = rebased._back(offset, reading, exact=False)
        return rebased._with_step(timeline, reading, rebased.now.offset, accepted)

    def _with_step(
        self, timeline: "Timeline", reading: Reading, wall_offset: int, accepted: Accepted
    ) -> tuple["Timeline", Step | None]:
        """Return *timeline* with the start of the wall clock's lag, and the step that led to it."""
        before, judged = self.judged(reading.boot), timeline.judged(reading.boot)
        fell_behind = self.since if timeline.now.offset == self.now.offset else None
        since = (judged if fell_behind is None else fell_behind) if timeline.ahead >= TOLD else None
        timeline = replace(timeline, since=since)
        expected = reading.boot + wall_offset
        if abs(reading.wall - expected) < TOLD and before - judged < TOLD:
            return timeline, None
        return timeline, Step(expected, reading.wall, before, judged, accepted)


def resumed(saved: Timeline | None, last: Reading | None, present: Reading) -> tuple[Timeline, tuple[Step, ...]]:
    """Return the timeline at *present* after *saved*, and the steps since; *last* is the reading of the last entry.

    *last* counts only if it is newer than *saved*. An entry of an older program, without boot time, has boot ``""``; it
    may be of this boot or another, so it only proves that the present is not earlier.
    """
    steps = []
    if last and not last.boot_id:
        later = saved is None or (saved.boot_id != present.boot_id and last.wall > saved.judged(saved.boot))
        last = last._replace(boot=present.boot, boot_id=present.boot_id) if later else None
    timeline = saved or (Timeline.begin(last) if last else Timeline.begin(present))
    for reading in (last, present) if last and _newer(last, timeline, present) else (present,):
        timeline, step = timeline.observe(reading)
        steps += [step] if step else []
    return timeline, tuple(steps)


def _newer(last: Reading, timeline: Timeline, present: Reading) -> bool:
    """Return whether *last* was read after *timeline*. Of two ended boots, the one with the later time is newer."""
    if last.boot_id == timeline.boot_id:
        return last.boot > timeline.boot
    return last.boot_id == present.boot_id or (
        timeline.boot_id != present.boot_id and last.wall > timeline.judged(timeline.boot)
    )


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not -_LIMIT < number < _LIMIT:
        raise ValueError("not the state of a clock")
    return number
