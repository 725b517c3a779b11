"""What the control process does when mounts change: guards again what is not guarded, and says what it saw (C11).

The watcher has covered what was exposed by then; here the area is planned, marked, proven and uncovered, and whoever
opened something in between is named and ended. An area that is exported, or served by Samba with content in attributes,
since it was brought under guard is closed within half a minute. Rules of this file: woken by the mount table itself and
by the watcher's notices, and looking again every half a minute, sooner where a guard could not be tried; a look that
fails is told and comes again. Belongs to one thread, but for :meth:`MountChore.step`.
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

_AGAIN = 30.0  # seconds between two looks when nothing changes
SOON = 1.0  # seconds, doubled each time, while the guard of an area could not be tried
_SERVED = 10.0  # … between two at what file servers serve
_SETTLE, _BUSY = 0.03, 0.5  # seconds: mounts often come in pairs; somebody who goes on and on is not followed closely


class MountChore:
    """Follows the mount table; :meth:`step` is for any thread. *watcher* tells what it has covered."""

    def __init__(
        self, site: SiteContext, decider: DeciderClient, protection: Protection, watcher: WatcherClient
    ) -> None:
        self._site = site
        self._decider = decider
        self._protection = protection
        self._watcher = watcher
        self._beside: Sequence[AreaRow] = ()
        self._holders = EarlierHolders(site.home, decider, site.clock)
        self._ask_again = 0.0
        self._turn = threading.Lock()  # before that of the protection
        self._stop, self._stopping = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def close(self) -> None:
        """Close what is kept of processes."""
        self._holders.close()
        for fd in (self._stop, self._stopping):
            os.close(fd)

    def stop(self) -> None:
        """End :meth:`serve`, from any thread."""
        os.write(self._stopping, b".")

    def serve(self) -> None:
        """Look after every change until :meth:`stop`."""
        table = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        poll = select.poll()
        poll.register(table, select.POLLPRI)
        poll.register(self._stop, select.POLLIN)
        if (notices := self._watcher.fileno()) is not None:
            poll.register(notices, select.POLLIN)
        try:
            looked, wait, soon = 0.0, _AGAIN, SOON
            while self._stop not in dict(poll.poll(wait * 1000)):
                select.select([self._stop], [], [], _SETTLE if time.monotonic() - looked > _BUSY else _BUSY)
                looked = time.monotonic()
                poll.poll(0)
                with going_on(to_stderr("control")):
                    self.step()
                wait, soon = next_look(soon, untried=self._protection.untried())
        finally:
            os.close(table)

    def start(self, beside: Sequence[AreaRow] = ()) -> tuple[Protected, ...]:
        """Bring every area under guard for the first time; return them. Raises :class:`agent.errors.ShoumiError`.

        *beside* are areas that only the log knows: kept closed as long as the registry is older than it.
        """
        self._beside = beside
        rows, before = self._rows(), dict(self._protection.now)
        found = self._protection.bring_up(rows)
        self._tell(rows, found, before, mounted=self._take_notices())
        return found

    def step(self) -> None:
        """Look once: at the notices of the watcher, and at every area. Raises :class:`agent.errors.ShoumiError`."""
        with self._turn:
            self._take_notices()
            rows, before = self._rows(), dict(self._protection.now)
            self._close_what_is_served_past(rows, before)
            if found := self._protection.bring_up(rows):
                self._tell(rows, found, before, mounted=True)

    def _close_what_is_served_past(self, rows: Sequence[AreaRow], now: Mapping[str, Protected]) -> None:
        """Close areas that are served by now in a way that goes round the guard; that is asked every ten seconds."""
        moment = time.monotonic()
        if moment < self._ask_again:
            return
        self._ask_again = moment + _SERVED
        enforced = {row.resource.id for row in rows if row.resource.mode is Mode.ENFORCE}
        guarded = {name: area.path for name, area in now.items() if area.tier != "none" and name in enforced}
        for name, why in served_round(guarded).items():
            self._protection.close_area(name, Finding("serious", why.reason, why.text, why.hint))

    def _rows(self) -> tuple[AreaRow, ...]:
        known = self._site.facts.areas()
        return (*known, *self._beside) if self._site.stores.now.older else known

    def _tell(
        self, rows: Sequence[AreaRow], found: Sequence[Protected], before: Mapping[str, Protected], *, mounted: bool
    ) -> None:
        """Record what has become of areas, and who held files of those that were not guarded before."""
        for area in found:
            said, was = _state(area), _state(before.get(area.area))
            lost = was.get("state") == "guarded" and (area.fresh or said["state"] == "closed")
            if said != was or lost:  # a mark that was gone has an entry of its own, though all is well again
                more = ({"why": "unguarded"} if area.fresh else {}) | ({"alarm": True} if lost else {})
                self._decider.append({"kind": "volume", **said, **more, "area": area.area, "path": area.path})
        if any(area.tier != "none" for area in found):
            self._decider.epoch(self._site.facts.epoch())  # what was opened meanwhile is asked about
        if fresh := [area for area in found if area.fresh]:
            ending = {row.resource.id for row in rows if mounted or row.volume.get("held") == "end"}
            if self._site.stores.now.older:
                ending = set()  # nobody's rights are known: they are named, and what they read is asked about
            self._name_holders(fresh, ending, "mounted" if mounted else "start")

    def _name_holders(self, fresh: Sequence[Protected], ending: set[str], why: str) -> None:
        plans = self._protection.plans
        areas = {a.area: AreaOnDevice(plans[a.area].st_dev, a.path) for a in fresh if a.area in plans}
        for name, holders in self._holders.look(areas).items():
            ended = self._holders.record(name, holders, end=name in ending, why=why)
            left = [holder for holder in holders if holder not in ended]
            if left:
                self._protection.add_finding(name, held_before(name, [(h.pid, h.comm, h.may) for h in left]))

    def _take_notices(self) -> bool:
        """Record what the watcher has covered; return whether it had to cover anything."""
        covered = False
        for message in self._watcher.notices():
            if message.get("op") != "covered":
                continue
            covered = True
            fields = {name: message.get(name) for name in ("area", "path", "why", "after_ms")}
            with contextlib.suppress(ShoumiError):  # a cover needs no entry; the state that follows is recorded, too
                self._decider.append({"kind": "volume", "state": "covered", **fields, "alarm": True})
        return covered


def next_look(soon: float, *, untried: bool) -> tuple[float, float]:
    """Return in how many seconds to look next though nothing changes, and what to give as *soon* after that look.

    While a guard could not be tried the times grow to that of an ordinary look.
    """
    return (soon, min(_AGAIN, 2 * soon)) if untried else (_AGAIN, SOON)


def _state(area: Protected | None) -> dict[str, object]:
    """Return what an entry says of an area's state; equal while nothing has changed."""
    if area is None:
        return {}
    state = "guarded" if area.tier != "none" else "closed" if area.closed else "not-there"
    state = "hidden" if area.hidden else state
    reasons: list[Finding] = [finding for finding in area.findings if finding.state == "serious"]
    said = {"state": state, "tier": area.tier}
    return said | ({"reason": reasons[0].text.to_json()} if reasons and state != "guarded" else {})
