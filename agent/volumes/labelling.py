"""Sweeps: every inode of an area gets its label, while the area is guarded already.

Rules of this file: a sweep follows the mark, and nobody waits for it, because the decider labels what is opened before
the sweep comes by. It goes through a doorway that asks nobody. A sweep that was finished under the present holder is
not done again: since then every open has labelled what it met. It can be stopped at any moment and begun again.
"""

import contextlib
import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from agent.kernel import labels
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.private_mount import doorway
from agent.kernel.start_time import start_time


class SweepStoppedError(Exception):
    """The agent ends, and the sweep goes on at the next start; or nobody wants it any more."""


class LabelSweeps:
    """What is still to be swept, and what has been. *file* keeps the latter while this holder lives."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: deque[tuple[str, str]] = deque()
        self._sealed: set[str] = set()
        self._stopping = False
        self._holder = f"{os.getppid()}-{start_time(os.getppid())}"
        self._done: set[str] = set()
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):  # then all are swept again
            kept = json.loads(file.read_text())
            if kept["holder"] == self._holder:
                self._done = {str(key) for key in kept["done"]}

    def want(self, area: str, path: str, device: int, *, again: bool = False, sealed: bool = False) -> None:
        """Have *area* swept, unless it was under this holder already; *again*: in any case.

        *sealed*: everything on its volume had a label; what has content and lost it gets none.
        """
        self._sealed = {*self._sealed, area} if sealed else self._sealed - {area}
        key = _key(area, path, device)
        if again:
            self._done.discard(key)
        if key not in self._done and (area, path) not in self._waiting:
            self._waiting.append((area, path))

    def waiting(self) -> tuple[str, ...]:
        """Return the areas that wait for a sweep, the one under way first."""
        return tuple(area for area, _ in self._waiting)

    def forget(self, area: str) -> None:
        """Let go of an area that was removed, or hidden; a sweep of it under way ends."""
        self._waiting = deque(entry for entry in self._waiting if entry[0] != area)

    def stop(self) -> None:
        """End the sweep under way, from any thread; nothing is swept any more."""
        self._stopping = True

    def have_swept(self, area: str, path: str, device: int) -> bool:
        """Whether every inode of *area* carries a label, as far as a sweep under this holder has seen."""
        return _key(area, path, device) in self._done

    def step(self, groups: FanotifyGroups, found: Callable[[str, labels.LabelReport], None]) -> bool:
        """Sweep the next area and tell what was *found*; return whether there was one. Raises ``OSError``."""
        if not self._waiting or self._stopping:
            return False
        area, path = entry = self._waiting[0]

        def going_on(_seen: int) -> None:
            if self._stopping or entry not in self._waiting:
                raise SweepStoppedError

        try:
            report = sweep(groups, area, path, going_on, sealed=area in self._sealed)
        except SweepStoppedError:
            return not self._stopping
        except OSError:
            self._waiting.popleft()
            raise
        if (area, path) in self._waiting:
            self._waiting.remove((area, path))
            found(area, report)
            self.swept(area, path, Path(path).stat().st_dev, report)
        return True

    def swept(self, area: str, path: str, device: int, report: labels.LabelReport) -> None:
        """Take note of a sweep that is over."""
        if report.complete:
            self._done.add(_key(area, path, device))
            self._keep()

    def _keep(self) -> None:
        with contextlib.suppress(OSError):  # then it is swept once more than needed
            self._file.write_text(json.dumps({"holder": self._holder, "done": sorted(self._done)}))


def sweep(
    groups: FanotifyGroups,
    area: str,
    path: str,
    progress: Callable[[int], None] | None = None,
    *,
    sealed: bool = False,
) -> labels.LabelReport:
    """Label every inode of *area*, which stands at *path* on a volume that carries marks. Raises ``OSError``."""
    with doorway(groups.open, groups.access, path) as inside:
        return labels.sweep(inside, area, progress, named=path, sealed=sealed)


def _key(area: str, path: str, device: int) -> str:
    return f"{area}\0{path}\0{device}"
