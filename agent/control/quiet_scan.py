"""Quiet scan: after a change of rights every read needs a verdict; the scan decides when that may end.

Rules of this file: :mod:`agent.control.look_schedule` decides when to scan; until then every read is checked (loud).
The decider may ignore reads only after a scan of all holders, and never reads of an inode held by a process that would
be denied. Such inodes stay loud and are scanned again until no process without a right holds them. Files of server
processes are reported separately: only the decider knows for whom they were opened. Everything stays loud where these
inodes cannot be determined: a ring that keeps files (io_uring) of a process that may not read all of them, descriptors
in transit in a socket of such a process, or an unfinished scan. Each scan evaluates the rules anew (room occupancy
changes verdicts without a new epoch), and counts only if no ignore marks were dropped since it began.
:mod:`agent.control.holder_cuts` ends holders that the kernel does not cut; a scan is therefore also due when the first
verdict behind such a hold expires.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from agent.control.decider_client import DeciderClient, ServedFile
from agent.control.holder_cuts import HolderCuts
from agent.control.holder_verdicts import HolderVerdicts
from agent.control.look_schedule import BETWEEN, LookSchedule
from agent.errors import ShoumiError
from agent.guard.policy import PolicySnapshot
from agent.guard.programs import Hashed
from agent.guard.verdicts import NEVER
from agent.kernel import mounting
from agent.kernel.open_files import HeldFile, held
from agent.runtime.home import Home
from agent.site.context import Clock

_AGAIN = 2.0  # seconds between two scans while a process without a right holds a file


class _Loud(NamedTuple):
    """Inodes held by processes without a right, and files of server processes."""

    noisy: frozenset[tuple[int, int]]
    served: frozenset[ServedFile]


class QuietScan:
    """Follows changes of rights. Belongs to one thread, which calls :meth:`step` a few times a second.

    *cutting* returns whether a cut is under way, *hashed* the service programs whose hash matches.
    """

    def __init__(
        self,
        home: Home,
        decider: DeciderClient,
        clock: Clock,
        cuts: HolderCuts,
        cutting: Callable[[], bool],
        hashed: Callable[[], Hashed],
    ) -> None:
        self._hashed = hashed
        self._clock = clock
        self._cuts = cuts
        self._ends = NEVER  # the earliest end of a verdict behind an uncut hold
        self._policy = PolicySnapshot(home)
        self._decider = decider
        self._verdicts = HolderVerdicts(self._policy, clock)
        self._next_look = 0.0
        self._cutting = cutting
        self._times = LookSchedule()
        self._loud: _Loud | None = None  # None: nothing reported to the decider yet
        self.blind: frozenset[HeldFile] = frozenset()  # because of these every read is checked

    def look_soon(self) -> None:
        """Request a scan at the next step. For any thread."""
        self._times.ask()

    def step(self) -> None:
        """Scan if there is a reason to, and report to the decider what must stay loud."""
        began = time.monotonic()
        decider_news = bool({"hello", "flushed"} & set(self._decider.unasked()))
        read = self._policy.take_hashed(self._hashed())
        if not self._times.changed and (decider_news or read or self._policy.moved()):
            self._times.change(began)
        cutting = self._cutting()
        repeat = (self._loud is None or bool(self._loud.noisy)) and began >= self._next_look + (
            BETWEEN if cutting else 0.0
        )
        due = repeat or self._clock.now() >= self._ends
        changed = self._times.changed and (due or self._times.due(began, cutting=cutting))
        if not (changed or due):
            return
        if changed:
            self._policy.reload()
            self._times.begin()
        if self._policy.source is None:
            return
        with contextlib.suppress(ShoumiError):  # the decider is unreachable: the next step reports
            former, self._loud = self._loud, None
            since = self._decider.silences()
            loud = self._scan_holders()
            unchanged = not changed and loud == former
            if loud is not None and (unchanged or self._decider.quiet(self._policy.epoch, since, *loud)):
                self._loud = loud
        now = time.monotonic()
        self._times.end(began, now)
        self._next_look = max(now + _AGAIN, self._times.rests_until)

    def close(self) -> None:
        """Release process handles and the registry."""
        self._verdicts.close()
        self._policy.close()

    def _scan_holders(self) -> _Loud | None:
        """Return the inodes that must stay loud; ``None`` for all."""
        self._verdicts.renew()
        roots = self._policy.roots or ()
        devices = set(_devices(root.path for root in roots))
        every = tuple(dict.fromkeys(root.area for root in roots))
        loud: set[tuple[int, int]] = set()
        served: set[ServedFile] = set()
        blind: set[HeldFile] = set()
        self._cuts.begin()
        self._ends = NEVER
        for held_file in held(devices, flights=True) if devices else ():
            if held_file.inode:
                may = self._may(held_file, already_loud=(held_file.device, held_file.inode) in loud)
                if self._verdicts.serves(held_file.pid):
                    served.add(ServedFile(held_file.pid, held_file.device, held_file.inode))
                elif not may:
                    loud.add((held_file.device, held_file.inode))
            elif not self._verdicts.all_may(held_file.pid, every):
                blind.add(held_file)
        self.blind = frozenset(blind)
        self._cuts.finish(lambda hold: not self._verdicts.all_may(hold.pid, (hold.area,)))
        return None if blind else _Loud(frozenset(loud), frozenset(served))

    def _may(self, held_file: HeldFile, *, already_loud: bool) -> bool:
        """Return whether every thread sharing *held_file* may use it; *already_loud*: another holder may not."""
        try:
            area = self._verdicts.area_of(held_file)
        except OSError:
            return False  # an unreadable label is not a missing one
        if area is None:
            return True
        uncut = self._cuts.concerns(held_file, area)
        if already_loud and not uncut:
            return False
        until = self._verdicts.until(held_file.pid, (area,))
        if uncut and until is None:
            if self._policy.source and not self._policy.source.closed:  # otherwise rights are unknown, and none ended
                self._cuts.denied(held_file, area)
        elif uncut and until is not None:
            self._ends = min(self._ends, until)
        return until is not None


def _devices(paths: Iterable[bytes]) -> Iterator[int]:
    for path in paths:
        with contextlib.suppress(OSError):  # the area is not mounted now
            below = mounting.reach(os.fsdecode(path))  # also below a cover of ours: files opened there stay open
            try:
                yield os.fstat(below).st_dev
            finally:
                os.close(below)
