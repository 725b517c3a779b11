"""The decider's clock: the stamps of entries, and the judged time of grants.

Rules of this file: entries carry the wall clock as it is, and boot time; grants are judged by the time that
:mod:`agent.runtime.timeline` derives from both. Reading costs two calls of clock_gettime(2) and one comparison, because
it is on the open path. The scheduler may separate the two calls by any time; so a difference is measured again,
closely, before it counts as a step.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from agent.runtime.timeline import TOLD, Reading, Step, Timeline

_SECOND = 1_000_000_000
_NOISE = 1_000_000  # between two readings of the same moment
_LOOKS = 8

boot_time: Callable[[], int] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return the kernel's id of this boot: 36 characters, different for each boot. Raises OSError."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def read_clocks(
    boot_id: str, wall: Callable[[], int] = time.time_ns, boot: Callable[[], int] = boot_time, *, synchronised: bool
) -> Reading:
    """Return both clocks at one moment: of several readings the one that took least time."""
    best, reading = 1 << 62, (0, 0)
    for _ in range(_LOOKS):
        before, between, after = boot(), wall(), boot()
        if after - before < best:
            best, reading = after - before, (between, (before + after) // 2)
        if best < _NOISE // 20:
            break
    return Reading(*reading, boot_id, synchronised)


class AgentClock:
    """Both clocks and their timeline. For one thread; *synchronised* asks the kernel whether its clock is.

    ``wall`` and ``boot`` are the last reading of :meth:`now`, in nanoseconds; ``disagrees``: the wall clock is behind
    judged time by a second. ``steps`` are those not reported yet, and ``jumped`` is true when judged time moved
    otherwise than by passing: the handler resets it.
    """

    disagrees: bool

    def __init__(
        self,
        timeline: Timeline | None = None,
        *,
        synchronised: Callable[[], bool] = bool,
        wall: Callable[[], int] = time.time_ns,
        boot: Callable[[], int] = boot_time,
    ) -> None:
        self.boot_id = boot_id()
        self.steps: list[Step] = []
        self.jumped = False
        self._wall, self._boot, self._synchronised = wall, boot, synchronised
        present = self._read(synchronised=False)
        self._take(timeline or Timeline.begin(present))
        self.wall, self.boot = present.wall, present.boot

    def now(self) -> int:
        """Return the judged time in nanoseconds since 1970."""
        boot, wall = self._boot(), self._wall()
        if not -_NOISE < wall - boot - self._wall_offset < _NOISE:
            self.compare()
            boot, wall = self._boot(), self._wall()
        self.boot, self.wall = boot, wall
        return boot + self._offset

    def compare(self) -> None:
        """Compare the clocks closely, and ask the kernel whether its clock is synchronised."""
        previous = self.timeline
        timeline, step = previous.observe(self._read(synchronised=self._synchronised()))
        self._took(previous, timeline, step)

    def accept(self) -> bool:
        """Follow the wall clock as it is from now on; return ``False`` if it is followed already."""
        previous = self.timeline
        timeline, step = previous.accept(self._read(synchronised=False))
        self._took(previous, timeline, step)
        return step is not None

    @property
    def seconds_behind(self) -> float:
        """By how many seconds the wall clock is behind judged time; 0.0 in good order."""
        return max(0, self.timeline.ahead) / _SECOND

    def _took(self, previous: Timeline, timeline: Timeline, step: Step | None) -> None:
        moved = timeline.now.offset - previous.now.offset
        self.jumped = self.jumped or moved < 0 or moved >= TOLD
        if step is not None:
            self.steps.append(step)
        self._take(timeline)

    def _take(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._offset, self._wall_offset = timeline.now.offset, timeline.wall_offset
        self.disagrees = timeline.since is not None

    def _read(self, *, synchronised: bool) -> Reading:
        return read_clocks(self.boot_id, self._wall, self._boot, synchronised=synchronised)


def instant_of(monotonic: float, now: Callable[[], datetime]) -> datetime:
    """Return the time at which :func:`time.monotonic` read *monotonic*, on the clock *now*; never earlier than it was.

    The elapsed time is read first: a delay between the two readings makes the result later.
    """
    ago = time.monotonic() - monotonic
    return now() - timedelta(seconds=ago)


def instant(now: int) -> datetime:
    """Return nanoseconds since 1970 as an aware ``datetime`` (microseconds, rounded down)."""
    return datetime.fromtimestamp(now // _SECOND, UTC).replace(microsecond=now % _SECOND // 1000)


def nanoseconds(moment: datetime) -> int:
    """Return an aware ``datetime`` as nanoseconds since 1970, exactly."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
