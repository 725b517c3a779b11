"""The decider's clock: what entries are stamped with, and what grants are judged by.

Rules of this file: entries carry the wall clock as it is, and boot time; grants are judged by the time that
:mod:`agent.runtime.timeline` makes of both. Reading costs two calls of clock_gettime(2) and one comparison, for it is
on the path of an open. The two calls are apart by as long as the scheduler likes; so a difference is looked at again,
closely, before it is taken for a step.
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
    """Return what the kernel calls this boot: 36 characters, another one each time. Raises OSError."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def read_clocks(
    boot_id: str, wall: Callable[[], int] = time.time_ns, boot: Callable[[], int] = boot_time, *, synchronised: bool
) -> Reading:
    """Return both clocks as of one moment: of some readings the one in which least time passed."""
    best, found = 1 << 62, (0, 0)
    for _ in range(_LOOKS):
        before, between, after = boot(), wall(), boot()
        if after - before < best:
            best, found = after - before, (between, (before + after) // 2)
        if best < _NOISE // 20:
            break
    return Reading(*found, boot_id, synchronised)


class AgentClock:
    """Both clocks and the timeline they make. For one thread; *synchronised* asks the kernel whether its clock is.

    ``wall`` and ``boot`` are what :meth:`now` read last, in nanoseconds; ``disagrees`` tells whether the wall clock is
    behind judged time by a second. ``steps`` are those that nobody was told of yet, and ``jumped`` is true when judged
    time moved otherwise than by passing: whoever acts on it takes it back.
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
            self.look()
            boot, wall = self._boot(), self._wall()
        self.boot, self.wall = boot, wall
        return boot + self._offset

    def look(self) -> None:
        """Compare the clocks closely, and ask the kernel whether its clock is synchronised."""
        known = self.timeline
        found, step = known.observe(self._read(synchronised=self._synchronised()))
        self._took(known, found, step)

    def accept(self) -> bool:
        """Follow the wall clock as it is from now on; return ``False`` if it is followed already."""
        known = self.timeline
        found, step = known.accept(self._read(synchronised=False))
        self._took(known, found, step)
        return step is not None

    @property
    def behind(self) -> float:
        """By how many seconds the wall clock is behind judged time; 0.0 in good order."""
        return max(0, self.timeline.ahead) / _SECOND

    def _took(self, known: Timeline, found: Timeline, step: Step | None) -> None:
        moved = found.now.offset - known.now.offset
        self.jumped = self.jumped or moved < 0 or moved >= TOLD
        if step is not None:
            self.steps.append(step)
        self._take(found)

    def _take(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._offset, self._wall_offset = timeline.now.offset, timeline.wall_offset
        self.disagrees = timeline.since is not None

    def _read(self, *, synchronised: bool) -> Reading:
        return read_clocks(self.boot_id, self._wall, self._boot, synchronised=synchronised)


def instant_of(monotonic: float, now: Callable[[], datetime]) -> datetime:
    """Return when :func:`time.monotonic` read *monotonic*, on the clock *now*; never earlier than it was.

    How long ago that is is asked first: a thread that has to wait between the two readings makes it later.
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
