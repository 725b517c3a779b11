"""What outlives the decider of its clock, and how the others know what time it judges by.

Rules of this file: the decider alone writes the file: when it starts, at each step of the clock, and every ten minutes,
so that a machine whose battery is dead knows how late it was. Writing belongs to a thread of its own, for the loop that
answers waits for its log and for nothing else; a write that fails is made up for by the next. Everybody else reads the
file, whenever it is another one: judged time is boot time plus one number of it, so that they agree with the decider to
the microsecond and need not ask it. Between a step and the word of it they take the later of the two times, as it does.
A file that cannot be read counts as none: then the last entry of the log says how late it was.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from agent.runtime.clock import boot_id, boot_time, read_clocks
from agent.runtime.ours import private
from agent.runtime.timeline import Timeline

EVERY = 600_000_000_000  # nanoseconds between two writings of a clock that nobody sets
_LONGEST = 65_536
_Identity = tuple[int, int, int]


def read(path: Path) -> Timeline | None:
    """Return what was written down, ``None`` when there is nothing, or nothing that can be read."""
    try:
        with path.open("rb") as file:
            return Timeline.from_json(json.loads(file.read(_LONGEST)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write(path: Path, timeline: Timeline) -> None:
    """Write it down: whole, or as before. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "w", encoding="ascii", opener=private) as file:
        json.dump(timeline.to_json(), file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class ClockKeeper:
    """Writes down the latest timeline it was given, in a thread of its own. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._given: SimpleQueue[Timeline | None] = SimpleQueue()
        self._at = -EVERY
        self._thread = threading.Thread(target=self._serve, name="clock", daemon=True)
        self._thread.start()

    def keep(self, timeline: Timeline) -> None:
        """Have it written down as soon as may be. Never waits."""
        self._at = time.monotonic_ns()
        self._given.put(timeline)

    def due(self, moment: int) -> bool:
        """Whether it is time again, at *moment* (monotonic nanoseconds)."""
        return moment - self._at >= EVERY

    def close(self, seconds: float) -> None:
        """Have what was given written, for *seconds* at the most."""
        self._given.put(None)
        self._thread.join(seconds)

    def _serve(self) -> None:
        while (timeline := self._given.get()) is not None:
            with contextlib.suppress(OSError):
                write(self._path, timeline)


class FollowedClock:
    """The time the decider judges by, for every other process. For any thread."""

    def __init__(self, path: Path, wall: Callable[[], int] = time.time_ns, boot: Callable[[], int] = boot_time) -> None:
        self._path = path
        self._wall, self._boot = wall, boot
        self._boot_id = boot_id()
        self._known: tuple[_Identity | None, int] = (None, wall() - boot())
        self._follow()

    def now(self) -> int:
        """Return the judged time in nanoseconds since 1970."""
        offset = self._follow()
        return max(self._wall(), self._boot() + offset)

    def ahead(self) -> int:
        """Return by how many nanoseconds it is ahead of the wall clock: 0, but for noise, in good order."""
        return self.now() - self._wall()

    def _follow(self) -> int:
        """Return judged time minus boot time, as the decider last wrote it down."""
        identity, offset = self._known
        try:
            status = os.stat(self._path)  # noqa: PTH116 - asked for each badge and each act
        except OSError:
            return offset
        found = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if found != identity and (timeline := read(self._path)) is not None:
            # Of another boot: the decider of this one has not written yet, and will find the same.
            present = read_clocks(self._boot_id, self._wall, self._boot, synchronised=False)
            same = timeline.boot_id == self._boot_id
            offset = (timeline if same else timeline.observe(present)[0]).now.offset
            self._known = found, offset
        return offset
