"""After rights have changed, every read through an open descriptor is asked about; here it is found when that may end.

Rules of this file: when there is a look, :mod:`agent.control.look_schedule` says; until then everything stays loud. The
decider is told to grow quiet only after a look at who holds what, and never about an inode that somebody holds who
would be denied. Those stay loud and are looked at again, until nobody without rights holds them. What a server process
holds is told apart: only the decider knows for whom it was opened. Where it cannot be said which inodes those are,
everything stays loud: a ring that keeps files (io_uring), of somebody who may not read all of them, descriptors that
wait in a socket of such a process, or a look that could not be finished. Each look asks the rules afresh (who is inside
a room changes verdicts and no epoch), and counts only if nothing had to be asked about again since it began. What the
kernel would not cut of what is found, :mod:`agent.control.holder_cuts` ends; for its sake there is a look when the
first verdict ends that somebody holds such a thing by.
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

_AGAIN = 2.0  # seconds between two looks while somebody without rights holds a file


class _Loud(NamedTuple):
    """Inodes that somebody holds who may not use them, and what server processes hold."""

    noisy: frozenset[tuple[int, int]]
    served: frozenset[ServedFile]


class QuietScan:
    """Follows the changes. Belongs to one thread, which calls :meth:`step` a few times a second.

    *cutting* says whether somebody is being cut, *hashed* which programs of services have been read.
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
        self._ends = NEVER  # when the first verdict ends that an uncut hold rests on
        self._policy = PolicySnapshot(home)
        self._decider = decider
        self._verdicts = HolderVerdicts(self._policy, clock)
        self._again = 0.0
        self._cutting = cutting
        self._times = LookSchedule()
        self._loud: _Loud | None = None  # None: the decider has not been told anything yet
        self.blind: frozenset[HeldFile] = frozenset()  # for their sake every read is asked about

    def look_soon(self) -> None:
        """Have a look at the next step. May be called from any thread."""
        self._times.ask()

    def step(self) -> None:
        """Look if there is a reason to, and tell the decider what must stay loud."""
        began = time.monotonic()
        asked = bool({"hello", "flushed"} & set(self._decider.unasked()))
        read = self._policy.take_hashed(self._hashed())
        if not self._times.changed and (asked or read or self._policy.moved()):
            self._times.change(began)
        cutting = self._cutting()
        again = (self._loud is None or bool(self._loud.noisy)) and began >= self._again + (BETWEEN if cutting else 0.0)
        due = again or self._clock.now() >= self._ends
        changed = self._times.changed and (due or self._times.due(began, cutting=cutting))
        if not (changed or due):
            return
        if changed:
            self._policy.reload()
            self._times.begin()
        if self._policy.source is None:
            return
        with contextlib.suppress(ShoumiError):  # it answers later, and is told then
            told, self._loud = self._loud, None
            since = self._decider.silences()
            loud = self._look()
            known = not changed and loud == told
            if loud is not None and (known or self._decider.quiet(self._policy.epoch, since, *loud)):
                self._loud = loud
        now = time.monotonic()
        self._times.end(began, now)
        self._again = max(now + _AGAIN, self._times.rests_until)

    def close(self) -> None:
        """Close what is kept of processes, and let go of the registry."""
        self._verdicts.close()
        self._policy.close()

    def _look(self) -> _Loud | None:
        """Return what must stay loud; ``None`` when that is everything."""
        self._verdicts.renew()
        roots = self._policy.roots or ()
        devices = set(_devices(root.path for root in roots))
        every = tuple(dict.fromkeys(root.area for root in roots))
        loud: set[tuple[int, int]] = set()
        served: set[ServedFile] = set()
        blind: set[HeldFile] = set()
        self._cuts.begin()
        self._ends = NEVER
        for found in held(devices, flights=True) if devices else ():
            if found.inode:
                may = self._may(found, known=(found.device, found.inode) in loud)
                if self._verdicts.serves(found.pid):
                    served.add(ServedFile(found.pid, found.device, found.inode))
                elif not may:
                    loud.add((found.device, found.inode))
            elif not self._verdicts.all_may(found.pid, every):
                blind.add(found)
        self.blind = frozenset(blind)
        self._cuts.finish(lambda hold: not self._verdicts.all_may(hold.pid, (hold.area,)))
        return None if blind else _Loud(frozenset(loud), frozenset(served))

    def _may(self, found: HeldFile, *, known: bool) -> bool:
        """Whether every thread that shares this descriptor or mapping may go on; *known*: somebody else may not."""
        try:
            area = self._verdicts.area_of(found)
        except OSError:
            return False  # a label that cannot be read is not an absent one
        if area is None:
            return True
        uncut = self._cuts.concerns(found, area)
        if known and not uncut:
            return False
        until = self._verdicts.until(found.pid, (area,))
        if uncut and until is None:
            if self._policy.source and not self._policy.source.closed:  # else nobody's rights are known, and none ended
                self._cuts.denied(found, area)
        elif uncut and until is not None:
            self._ends = min(self._ends, until)
        return until is not None


def _devices(paths: Iterable[bytes]) -> Iterator[int]:
    for path in paths:
        with contextlib.suppress(OSError):  # no filesystem has it: the area is not there now
            below = mounting.reach(os.fsdecode(path))  # below a cover of ours, too: what is open there stays open
            try:
                yield os.fstat(below).st_dev
            finally:
                os.close(below)
