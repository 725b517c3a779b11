"""After rights have changed, every read through an open descriptor is asked about; here it is found when that may end.

Rules of this file: the decider is told to grow quiet only after a look at who holds what, and never about an inode that
somebody holds who would be denied. Those stay loud and are looked at again, until nobody without rights holds them.
Where it cannot be said which inodes those are, everything stays loud: a ring that keeps files (io_uring), of somebody
who may not read all of them, descriptors that wait in a socket of such a process, or a look that could not be finished.
Each look asks the rules afresh (who is inside a room changes verdicts and no epoch), and counts only if nothing had to
be asked about again since it began.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator

from agent.control.decider_client import DeciderClient
from agent.control.holder_verdicts import HolderVerdicts
from agent.errors import ShoumiError
from agent.guard.policy import PolicySnapshot
from agent.kernel import mounting
from agent.kernel.open_files import HeldFile, held
from agent.runtime.clock import AgentClock
from agent.runtime.home import Home

_AGAIN = 2.0  # seconds between two looks while somebody without rights holds a file


class QuietScan:
    """Follows the changes. Belongs to one thread, which calls :meth:`step` a few times a second."""

    def __init__(self, home: Home, decider: DeciderClient, clock: AgentClock) -> None:
        self._policy = PolicySnapshot(home)
        self._decider = decider
        self._verdicts = HolderVerdicts(self._policy, clock)
        self._again = 0.0
        self._loud: frozenset[tuple[int, int]] | None = None  # None: the decider has not been told anything yet
        self.blind: frozenset[HeldFile] = frozenset()  # for their sake every read is asked about

    def step(self) -> None:
        """Look if there is a reason to, and tell the decider what must stay loud."""
        asked = bool({"hello", "flushed"} & set(self._decider.unasked()))
        moved = self._policy.moved()
        if moved:
            self._policy.reload()
        due = self._loud != frozenset() and time.monotonic() >= self._again
        if self._policy.source is None or not (asked or moved or due):
            return
        with contextlib.suppress(ShoumiError):  # it answers later, and is told then
            told, self._loud = self._loud, None
            since = self._decider.silences()
            loud = self._look()
            known = not (asked or moved) and loud == told
            if loud is not None and (known or self._decider.quiet(self._policy.epoch, since, loud)):
                self._loud = loud
        self._again = time.monotonic() + _AGAIN

    def close(self) -> None:
        """Close what is kept of processes."""
        self._verdicts.close()

    def _look(self) -> frozenset[tuple[int, int]] | None:
        """Return the inodes that must stay loud; ``None`` when that is all of them."""
        self._verdicts.renew()
        roots = self._policy.roots or ()
        devices = set(_devices(root.path for root in roots))
        every = tuple(dict.fromkeys(root.area for root in roots))
        loud: set[tuple[int, int]] = set()
        blind: set[HeldFile] = set()
        for found in held(devices, flights=True) if devices else ():
            if not found.inode:
                if not self._verdicts.all_may(found.pid, every):
                    blind.add(found)
            elif (found.device, found.inode) not in loud and not self._verdicts.may(found):
                loud.add((found.device, found.inode))
        self.blind = frozenset(blind)
        return None if blind else frozenset(loud)


def _devices(paths: Iterable[bytes]) -> Iterator[int]:
    for path in paths:
        with contextlib.suppress(OSError):  # no filesystem has it: the area is not there now
            below = mounting.reach(os.fsdecode(path))  # below a cover of ours, too: what is open there stays open
            try:
                yield os.fstat(below).st_dev
            finally:
                os.close(below)
