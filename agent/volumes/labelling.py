"""Label sweeps: every inode of an area gets its label, while the area is already guarded.

Rules of this file: a sweep follows the mark, and nobody waits for it, because the decider labels files that are opened
before the sweep reaches them. It uses a private mount that needs no verdict. A sweep that was finished under the
present holder is not repeated: since then every open has labelled its file. It can be stopped at any time and started
again.
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
    """The sweep was stopped: the agent is stopping and continues at the next start, or the sweep was cancelled."""


class LabelSweeps:
    """The pending and the finished sweeps. *file* stores the finished ones while this holder lives."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: deque[tuple[str, str]] = deque()
        self._sealed: set[str] = set()
        self._stopping = False
        self._holder = f"{os.getppid()}-{start_time(os.getppid())}"
        self._swept_keys: set[str] = set()
        with contextlib.suppress(
            OSError, ValueError, TypeError, KeyError, RecursionError
        ):  # then all areas are swept again
            stored = json.loads(file.read_text())
            if stored["holder"] == self._holder:
                self._swept_keys = {str(key) for key in stored["done"]}

    def want(self, area: str, path: str, device: int, *, swept_anew: bool = False, sealed: bool = False) -> None:
        """Schedule a sweep of *area*, unless it was swept under this holder; *swept_anew*: in any case.

        *sealed*: everything on its volume had a label; a file with content that lost its label gets none.
        """
        self._sealed = {*self._sealed, area} if sealed else self._sealed - {area}
        key = _key(area, path, device)
        if swept_anew:
            self._swept_keys.discard(key)
        if key not in self._swept_keys and (area, path) not in self._waiting:
            self._waiting.append((area, path))

    def waiting(self) -> tuple[str, ...]:
        """Return the areas that wait for a sweep, the current one first."""
        return tuple(area for area, _ in self._waiting)

    def forget(self, area: str) -> None:
        """Cancel the sweep of an area that was removed or hidden."""
        self._waiting = deque(entry for entry in self._waiting if entry[0] != area)

    def stop(self) -> None:
        """Stop the current sweep, from any thread, and all further ones."""
        self._stopping = True

    def have_swept(self, area: str, path: str, device: int) -> bool:
        """Return whether a sweep under this holder has labelled every inode of *area*."""
        return _key(area, path, device) in self._swept_keys

    def step(self, groups: FanotifyGroups, report_sweep: Callable[[str, labels.LabelReport], None]) -> bool:
        """Sweep the next area and call *report_sweep*; return whether there was one. Raises ``OSError``."""
        if not self._waiting or self._stopping:
            return False
        area, path = entry = self._waiting[0]

        def going_on(_inodes: int) -> None:
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
            report_sweep(area, report)
            self.swept(area, path, Path(path).stat().st_dev, report)
        return True

    def swept(self, area: str, path: str, device: int, report: labels.LabelReport) -> None:
        """Record a finished sweep."""
        if report.complete:
            self._swept_keys.add(_key(area, path, device))
            self._keep()

    def _keep(self) -> None:
        with contextlib.suppress(OSError):  # then it is swept once more than necessary
            self._file.write_text(json.dumps({"holder": self._holder, "done": sorted(self._swept_keys)}))


def sweep(
    groups: FanotifyGroups,
    area: str,
    path: str,
    progress: Callable[[int], None] | None = None,
    *,
    sealed: bool = False,
) -> labels.LabelReport:
    """Label every inode of *area*, which is at *path* on a volume that carries marks. Raises ``OSError``."""
    with doorway(groups.open, groups.access, path) as inside:
        return labels.sweep(inside, area, progress, named=path, sealed=sealed)


def _key(area: str, path: str, device: int) -> str:
    return f"{area}\0{path}\0{device}"
