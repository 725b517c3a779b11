"""What the looks at all holders have seen so far, for the next control process: a file in the run directory.

Rules of this file: it says which areas were looked at, and who held something in one from before it. It counts as long
as the holder that guarded them lives: under another one somebody may have come in unasked in between. A file that
cannot be read is none, and then whoever is there counts as there from before; so it is with more than is worth writing
down.
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
    """Process *pid*, started at *started*, holds inode (*device*, *inode*) of *area* in a way its *tier* cannot cut."""

    pid: int
    started: int
    device: int
    inode: int
    area: str
    tier: Tier


class SeenHolders:
    """``areas`` that were looked at, and in them the holds ``before``; every change is written to *file*."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = [os.getppid(), start_time(os.getppid())]
        self.areas: frozenset[str] = frozenset()
        self.before: frozenset[UncutHold] = frozenset()
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            found = json.loads(file.read_text(encoding="utf-8"))
            if found["guard"] == self._guard:
                before = frozenset(UncutHold(*hold) for hold in found["before"])
                self.areas, self.before = frozenset(map(str, found["areas"])), before

    def keep(self, areas: Iterable[str], before: Iterable[UncutHold]) -> None:
        """Take what a look has seen in the place of what was seen before it. Never raises ``OSError``."""
        now = frozenset(areas), frozenset(before)
        if now == (self.areas, self.before):
            return
        self.areas, self.before = now
        with contextlib.suppress(OSError):
            if len(self.before) > _MOST:
                self._file.unlink(missing_ok=True)
                return
            told = {"guard": self._guard, "areas": sorted(self.areas), "before": sorted(self.before)}
            fresh = self._file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(told), encoding="utf-8")
            fresh.replace(self._file)
