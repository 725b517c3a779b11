"""The clock file: it keeps the decider's timeline across restarts, and tells the other processes the judged time.

Rules of this file: only the decider writes the file: at its start, at each step of the clock, and every ten minutes, so
that a machine with a dead battery knows its last time. Writing belongs to a thread of its own, because the loop that
answers waits only for its log; a failed write is replaced by the next. The other processes read the file whenever it
has changed: judged time is boot time plus one number of it, so that they agree with the decider to the microsecond and
need not ask it. Between a step and its file they use the later of the two times, as the decider does. An unreadable
file counts as none: then the last entry of the log gives the last time.
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

EVERY = 600_000_000_000  # nanoseconds between two writings of a clock without steps
_LONGEST = 65_536
_Identity = tuple[int, int, int]


def read(path: Path) -> Timeline | None:
    """Return the stored timeline, ``None`` when there is none, or it is unreadable."""
    try:
        with path.open("rb") as file:
            return Timeline.from_json(json.loads(file.read(_LONGEST)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write(path: Path, timeline: Timeline) -> None:
    """Store the timeline atomically. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "w", encoding="ascii", opener=private) as file:
        json.dump(timeline.to_json(), file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class ClockKeeper:
    """Writer of the latest timeline, in a thread of its own. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[Timeline | None] = SimpleQueue()
        self._at = -EVERY
        self._thread = threading.Thread(target=self._serve, name="clock", daemon=True)
        self._thread.start()

    def keep(self, timeline: Timeline) -> None:
        """Request its writing. Never waits."""
        self._at = time.monotonic_ns()
        self._queue.put(timeline)

    def due(self, moment: int) -> bool:
        """Return whether the next writing is due at *moment* (monotonic nanoseconds)."""
        return moment - self._at >= EVERY

    def close(self, seconds: float) -> None:
        """Finish the requested writing, within *seconds*."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _serve(self) -> None:
        while (timeline := self._queue.get()) is not None:
            with contextlib.suppress(OSError):
                write(self._path, timeline)


class FollowedClock:
    """The judged time for every process but the decider. For any thread."""

    def __init__(self, path: Path, wall: Callable[[], int] = time.time_ns, boot: Callable[[], int] = boot_time) -> None:
        self._path = path
        self._wall, self._boot = wall, boot
        self._boot_id = boot_id()
        self._latest: tuple[_Identity | None, int] = (None, wall() - boot())
        self._follow()

    def now(self) -> int:
        """Return the judged time in nanoseconds since 1970."""
        offset = self._follow()
        return max(self._wall(), self._boot() + offset)

    def ahead(self) -> int:
        """Return by how many nanoseconds it is ahead of the wall clock: 0, but for noise, in good order."""
        return self.now() - self._wall()

    def _follow(self) -> int:
        """Return judged time minus boot time, as the decider last wrote it."""
        identity, offset = self._latest
        try:
            status = os.stat(self._path)  # noqa: PTH116 - read for each badge and each act
        except OSError:
            return offset
        latest = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if latest != identity and (timeline := read(self._path)) is not None:
            # Of another boot: the decider of this one has not written yet, and will compute the same.
            present = read_clocks(self._boot_id, self._wall, self._boot, synchronised=False)
            same = timeline.boot_id == self._boot_id
            offset = (timeline if same else timeline.observe(present)[0]).now.offset
            self._latest = latest, offset
        return offset
