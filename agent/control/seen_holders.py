"""Results of holder scans for the next control process: a file in the run directory.

Rules of this file: it lists the scanned areas, and the holders that are older than their guard. It counts as long as
the supervising holder process lives: under another one files may have been opened unchecked in between. An unreadable
file counts as missing, and then all present holders count as older; the same applies to a list too long to store.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from agent.kernel.start_time import start_time
from rules.tiers import Tier

_MOST = 10_000  # holds


class UncutHold(NamedTuple):
    """Process *pid*, started at *started*, holds inode (*device*, *inode*) of *area* in a use *tier* cannot cut."""

    pid: int
    started: int
    device: int
    inode: int
    area: str
    tier: Tier


class SeenHolders:
    """The scanned ``areas``, and in them the holds ``before`` the guard; every change is written to *file*."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = [os.getppid(), start_time(os.getppid())]
        self.areas: frozenset[str] = frozenset()
        self.before: frozenset[UncutHold] = frozenset()
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            stored = json.loads(file.read_text(encoding="utf-8"))
            if stored["guard"] == self._guard:
                before = frozenset(UncutHold(*hold) for hold in stored["before"])
                self.areas, self.before = frozenset(map(str, stored["areas"])), before

    def keep(self, areas: Iterable[str], before: Iterable[UncutHold]) -> None:
        """Replace the results by those of a new scan. Never raises ``OSError``."""
        now = frozenset(areas), frozenset(before)
        if now == (self.areas, self.before):
            return
        self.areas, self.before = now
        with contextlib.suppress(OSError):
            if len(self.before) > _MOST:
                self._file.unlink(missing_ok=True)
                return
            content = {"guard": self._guard, "areas": sorted(self.areas), "before": sorted(self.before)}
            fresh = self._file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(content), encoding="utf-8")
            fresh.replace(self._file)
