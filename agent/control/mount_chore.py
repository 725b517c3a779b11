"""Mount chore: follows the mount table, brings unguarded areas under guard again, and records it (C11).

The watcher has covered exposed areas by then; here the area is planned, marked, proven and uncovered, and processes
that opened files in between are named and ended. An area that is exported, or served by Samba with content in
attributes, after it was brought under guard is closed within half a minute. Rules of this file: woken by the mount
table and by the watcher's notices, and checking every half minute, sooner while a guard could not be tried; a failed
check is reported and repeated. Belongs to one thread, except :meth:`MountChore.step`.
"""

import contextlib
import os
import select
import threading
import time
from collections.abc import Mapping, Sequence

from agent.api.findings import Finding
from agent.control.decider_client import DeciderClient
from agent.control.earlier_holders import AreaOnDevice, EarlierHolders
from agent.control.watcher_client import WatcherClient
from agent.errors import ShoumiError
from agent.registry.rows.areas import AreaRow
from agent.runtime.failures import going_on, to_stderr
from agent.site.context import SiteContext
from agent.volumes.protection import Protection
from agent.volumes.status import Protected, held_before
from agent.volumes.survey import served_round
from rules.model import Mode

_AGAIN = 30.0  # seconds between two checks without a change
SOON = 1.0  # seconds, doubled each time, while the guard of an area cannot be tried
_SERVED = 10.0  # seconds between two checks of file servers
_SETTLE, _BUSY = 0.03, 0.5  # seconds: mounts often come in pairs; a continuous series is followed less closely


class MountChore:
    """Follows the mount table; :meth:`step` is for any thread. *watcher* reports the areas it has covered."""

    def __init__(
        self, site: SiteContext, decider: DeciderClient, protection: Protection, watcher: WatcherClient
    ) -> None:
        self._site = site
        self._decider = decider
        self._protection = protection
        self._watcher = watcher
        self._log_only: Sequence[AreaRow] = ()
        self._holders = EarlierHolders(site.home, decider, site.clock)
        self._ask_again = 0.0
        self._turn = threading.Lock()  # taken before the lock of the protection
        self._stop, self._stopping = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def close(self) -> None:
        """Release process handles."""
        self._holders.close()
        for fd in (self._stop, self._stopping):
            os.close(fd)

    def stop(self) -> None:
        """End :meth:`serve`, from any thread."""
        os.write(self._stopping, b".")

    def serve(self) -> None:
        """Check after every change until :meth:`stop`."""
        table = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        poll = select.poll()
        poll.register(table, select.POLLPRI)
        poll.register(self._stop, select.POLLIN)
        if (notices := self._watcher.fileno()) is not None:
            poll.register(notices, select.POLLIN)
        try:
            looked_at, wait, soon = 0.0, _AGAIN, SOON
            while self._stop not in dict(poll.poll(wait * 1000)):
                select.select([self._stop], [], [], _SETTLE if time.monotonic() - looked_at > _BUSY else _BUSY)
                looked_at = time.monotonic()
                poll.poll(0)
                with going_on(to_stderr("control")):
                    self.step()
                wait, soon = next_look(soon, untried=self._protection.untried())
        finally:
            os.close(table)

    def start(self, log_only: Sequence[AreaRow] = ()) -> tuple[Protected, ...]:
        """Bring every area under guard for the first time; return their states. Raises
        :class:`agent.errors.ShoumiError`.

        *log_only*: areas that only the log knows, kept closed as long as the registry is older than the log.
        """
        self._log_only = log_only
        rows, before = self._rows(), dict(self._protection.now)
        protected = self._protection.bring_up(rows)
        self._tell(rows, protected, before, mounted=self._take_notices())
        return protected

    def step(self) -> None:
        """Check the notices of the watcher and every area once. Raises :class:`agent.errors.ShoumiError`."""
        with self._turn:
            self._take_notices()
            rows, before = self._rows(), dict(self._protection.now)
            self._close_what_is_served_past(rows, before)
            if protected := self._protection.bring_up(rows):
                self._tell(rows, protected, before, mounted=True)

    def _close_what_is_served_past(self, rows: Sequence[AreaRow], now: Mapping[str, Protected]) -> None:
        """Close areas that a file server now serves around the guard; checked every ten seconds."""
        moment = time.monotonic()
        if moment < self._ask_again:
            return
        self._ask_again = moment + _SERVED
        enforced = {row.resource.id for row in rows if row.resource.mode is Mode.ENFORCE}
        guarded = {name: area.path for name, area in now.items() if area.tier != "none" and name in enforced}
        for name, exposure in served_round(guarded).items():
            self._protection.close_area(name, Finding("serious", exposure.reason, exposure.text, exposure.hint))

    def _rows(self) -> tuple[AreaRow, ...]:
        areas = self._site.facts.areas()
        return (*areas, *self._log_only) if self._site.stores.now.older else areas

    def _tell(
        self, rows: Sequence[AreaRow], protected: Sequence[Protected], before: Mapping[str, Protected], *, mounted: bool
    ) -> None:
        """Record the state of areas, and the holders of files of those that were not guarded before."""
        for area in protected:
            state, was = _state(area), _state(before.get(area.area))
            lost = was.get("state") == "guarded" and (area.fresh or state["state"] == "closed")
            if state != was or lost:  # a lost mark has its own entry, even if it is restored
                more = ({"why": "unguarded"} if area.fresh else {}) | ({"alarm": True} if lost else {})
                self._decider.append({"kind": "volume", **state, **more, "area": area.area, "path": area.path})
        if any(area.tier != "none" for area in protected):
            self._decider.epoch(self._site.facts.epoch())  # files opened meanwhile are checked
        if fresh := [area for area in protected if area.fresh]:
            ending = {row.resource.id for row in rows if mounted or row.volume.get("held") == "end"}
            if self._site.stores.now.older:
                ending = set()  # rights are unknown: holders are named, and their reads are checked
            self._name_holders(fresh, ending, "mounted" if mounted else "start")

    def _name_holders(self, fresh: Sequence[Protected], ending: set[str], reason: str) -> None:
        plans = self._protection.plans
        areas = {a.area: AreaOnDevice(plans[a.area].st_dev, a.path) for a in fresh if a.area in plans}
        for name, holders in self._holders.survey(areas).items():
            ended = self._holders.record(name, holders, end=name in ending, reason=reason)
            remaining = [holder for holder in holders if holder not in ended]
            if remaining:
                self._protection.add_finding(name, held_before(name, [(h.pid, h.comm, h.may) for h in remaining]))

    def _take_notices(self) -> bool:
        """Record the areas that the watcher covered; return whether there were any."""
        covered = False
        for message in self._watcher.notices():
            if message.get("op") != "covered":
                continue
            covered = True
            fields = {name: message.get(name) for name in ("area", "path", "why", "after_ms")}
            with contextlib.suppress(ShoumiError):  # a cover needs no entry; the following state is recorded, too
                self._decider.append({"kind": "volume", "state": "covered", **fields, "alarm": True})
        return covered


def next_look(soon: float, *, untried: bool) -> tuple[float, float]:
    """Return the seconds until the next check without a change, and *soon* for the call after it.

    While a guard cannot be tried the interval grows to the ordinary one.
    """
    return (soon, min(_AGAIN, 2 * soon)) if untried else (_AGAIN, SOON)


def _state(area: Protected | None) -> dict[str, object]:
    """Return the fields of an entry about the state of an area; equal while nothing has changed."""
    if area is None:
        return {}
    state = "guarded" if area.tier != "none" else "closed" if area.closed else "not-there"
    state = "hidden" if area.hidden else state
    reasons: list[Finding] = [finding for finding in area.findings if finding.state == "serious"]
    fields = {"state": state, "tier": area.tier}
    return fields | ({"reason": reasons[0].text.to_json()} if reasons and state != "guarded" else {})
