"""What time it is judged to be, from two clocks that disagree at times: pure, every instant is an argument.

The wall clock (``CLOCK_REALTIME``) can be set to anything. Boot time (``CLOCK_BOOTTIME``, clock_gettime(2)) only goes
forward, also while the machine sleeps, and is slewed together with the wall clock (adjtimex(2)): so *wall minus boot
time* is constant until somebody sets the wall clock, and each change of it is a step. A :class:`Trajectory` is such a
constant; judged time is boot time plus the trajectory in force.

Rules of this file:

* Judged time follows the wall clock forward at once. Whoever sets it ahead ends grants, and gains nothing.
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

TOLD = 1_000_000_000  # a change of less is followed, and is not told as a step
TOLERANCE = 120_000_000_000  # so near to a former trajectory is back on it: clocks set by hand are no nearer
_MOST = 8  # former trajectories remembered
_LIMIT = 1 << 62

Accepted = Literal["forward", "returned", "synchronised", "officer", ""]


class Reading(NamedTuple):
    """Both clocks at one moment. *synchronised*: the kernel's clock is, by what adjtimex(2) says."""

    wall: int
    boot: int
    boot_id: str
    synchronised: bool = False


class Trajectory(NamedTuple):
    """*offset*: judged time minus boot time. *held*: for how long the wall clock kept to it."""

    offset: int
    held: int


class Step(NamedTuple):
    """A change of the wall clock, or of what is judged by.

    *expected* and *wall*: what the wall clock would have shown, and what it shows. *before* and *judged*: the same of
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
        """Return what is known when nothing was known before: the wall clock."""
        offset = reading.wall - reading.boot
        return cls(reading.boot_id, reading.boot, offset, Trajectory(offset, 0))

    def judged(self, boot: int) -> int:
        """Return the judged time at boot time *boot*."""
        return boot + self.now.offset

    @property
    def ahead(self) -> int:
        """By how much judged time is ahead of the wall clock: 0 in good order."""
        return self.now.offset - self.wall_offset

    def observe(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Return what is known after *reading*, and the step it shows, if it shows one."""
        if reading.boot_id != self.boot_id or reading.boot < self.boot:
            return self._after_boot(reading)
        kept = self._kept(reading)
        offset = reading.wall - reading.boot
        if offset >= kept.now.offset:
            found = kept._forward(offset, reading)  # noqa: SLF001
            accepted: Accepted = "forward"
        else:
            found, accepted = kept._back(offset, reading, exact=True)  # noqa: SLF001
        return self._told(found, reading, self.wall_offset, accepted)

    def accept(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Follow the wall clock as it is, because an officer says that it is right. ``None``: it is followed anyway."""
        seen, _ = self.observe(reading)
        if seen.ahead <= 0:
            return seen, None
        found = seen._at(seen.wall_offset)  # noqa: SLF001
        step = Step(reading.wall, reading.wall, seen.judged(reading.boot), found.judged(reading.boot), "officer")
        return found, step

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "boot_id": self.boot_id,
            "boot": self.boot,
            "wall_offset": self.wall_offset,
            "now": list(self.now),
            "former": [list(one) for one in self.former],
            "since": self.since,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Timeline":
        """Read what :meth:`to_json` gave. Raises ValueError for anything else."""
        try:
            now = Trajectory(*map(_whole, said["now"]))
            former = tuple(Trajectory(*map(_whole, one)) for one in said["former"])
            since = None if said["since"] is None else _whole(said["since"])
            found = cls(
                str(said["boot_id"]), _whole(said["boot"]), _whole(said["wall_offset"]), now, former[:_MOST], since
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not the state of a clock") from error
        if found.boot < 0 or min(one.held for one in (now, *former)) < 0:
            raise ValueError("not the state of a clock")
        return found

    def _kept(self, reading: Reading) -> "Timeline":
        """Count the time since the last observation, if the wall clock kept to the trajectory."""
        held = self.now.held + (reading.boot - self.boot if self.ahead < TOLD else 0)
        return replace(self, boot=reading.boot, now=Trajectory(self.now.offset, held))

    def _forward(self, offset: int, reading: Reading) -> "Timeline":
        now, former = Trajectory(offset, self.now.held), self.former
        if offset - self.now.offset >= TOLD:
            if self.ahead < TOLD:  # else the wall clock was wrong before, and this is no step away from a right one
                former = (*(one for one in former if one.held > self.now.held), self.now)[:_MOST]
            now = Trajectory(offset, 0)
        # What the kernel calls synchronised was not set by hand: there is nothing to return from.
        return replace(self, wall_offset=offset, now=now, former=() if reading.synchronised else former)

    def _back(self, offset: int, reading: Reading, *, exact: bool) -> tuple["Timeline", Accepted]:
        """Go on without the wall clock, unless there is a reason to follow it back."""
        if reading.synchronised:
            return self._at(offset), "synchronised"
        place = self._returned(offset, exact=exact)
        if place is None:
            return replace(self, wall_offset=offset), ""
        old = self.former[place]
        now = Trajectory(max(old.offset, offset), old.held)  # never before where the former one would be by now
        return replace(self, wall_offset=offset, now=now, former=self.former[:place]), "returned"

    def _returned(self, offset: int, *, exact: bool) -> int | None:
        """Return the place of the former trajectory that *offset* is back on."""
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
        """Judge by the wall clock as it is: what was before it does not count any more."""
        near = [one.held for one in self.former if abs(one.offset - offset) <= TOLERANCE]
        now = Trajectory(offset, max(near, default=0))
        return replace(self, wall_offset=offset, now=now, former=(), since=None)

    def _after_boot(self, reading: Reading) -> tuple["Timeline", Step | None]:
        """Go on in another boot, whose boot time began anew while an unknown time passed."""
        rebased = Timeline(
            reading.boot_id,
            reading.boot,
            self.boot + self.wall_offset,
            self.now._replace(offset=self.boot + self.now.offset),
            tuple(one._replace(offset=self.boot + one.offset) for one in self.former),
            self.since,
        )
        offset = reading.wall - reading.boot
        off = offset - rebased.now.offset
        if off >= 0:
            former = tuple(one._replace(offset=one.offset + off) for one in rebased.former)
            now = rebased.now._replace(offset=offset)
            found = replace(rebased, wall_offset=offset, now=now, former=() if reading.synchronised else former)
            return replace(found, since=None), None  # it was off for so long
        found, accepted = rebased._back(offset, reading, exact=False)
        return rebased._told(found, reading, rebased.now.offset, accepted)

    def _told(
        self, found: "Timeline", reading: Reading, wall_offset: int, accepted: Accepted
    ) -> tuple["Timeline", Step | None]:
        """Return *found* with the time since which the wall clock is behind, and the step that led to it."""
        before, judged = self.judged(reading.boot), found.judged(reading.boot)
        known = self.since if found.now.offset == self.now.offset else None
        since = (judged if known is None else known) if found.ahead >= TOLD else None
        found = replace(found, since=since)
        expected = reading.boot + wall_offset
        if abs(reading.wall - expected) < TOLD and before - judged < TOLD:
            return found, None
        return found, Step(expected, reading.wall, before, judged, accepted)


def resumed(saved: Timeline | None, last: Reading | None, present: Reading) -> tuple[Timeline, tuple[Step, ...]]:
    """Return what is known at *present* after *saved*, and the steps since; *last* is that of the last entry.

    *last* counts only if it is newer than *saved*. An entry of an older program, without boot time, has boot ``""``;
    it may be of this boot or another, so all it says is that it is not earlier now.
    """
    steps = []
    if last and not last.boot_id:
        later = saved is None or (saved.boot_id != present.boot_id and last.wall > saved.judged(saved.boot))
        last = last._replace(boot=present.boot, boot_id=present.boot_id) if later else None
    known = saved or (Timeline.begin(last) if last else Timeline.begin(present))
    for reading in (last, present) if last and _newer(last, known, present) else (present,):
        known, step = known.observe(reading)
        steps += [step] if step else []
    return known, tuple(steps)


def _newer(last: Reading, known: Timeline, present: Reading) -> bool:
    """Whether *last* was read after *known*. Of two boots that are over, the one with the later time is the newer."""
    if last.boot_id == known.boot_id:
        return last.boot > known.boot
    return last.boot_id == present.boot_id or (
        known.boot_id != present.boot_id and last.wall > known.judged(known.boot)
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_LIMIT < value < _LIMIT:
        raise ValueError("not the state of a clock")
    return value
