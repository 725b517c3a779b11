"""Canary runner: schedules attempts, keeps their results, writes entries, and closes areas whose guard is missing.

    due (pure) → try, repeat failures once → remember → cover areas that let a canary in → entries

Rules of this file: an enforced area that let a canary in, or whose guard reports no refusal, is covered before anything
else is done, and recorded with an alarm. An area that cannot be tried is unknown, and stays open. An observed area is
never covered. A failed attempt is repeated once, with the area as it is registered then, so that a removal or a change
of mode is not mistaken for a gap.
"""

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from agent.api.findings import Finding
from agent.control.decider_client import DeciderClient
from agent.errors import ShoumiError
from agent.kernel.fanotify import FanotifyGroups
from agent.site.context import SiteContext
from agent.volumes import status
from agent.volumes.canary import schedule
from agent.volumes.canary.reports import CanaryReports
from agent.volumes.canary.schedule import CanaryPeriods
from agent.volumes.canary.sightings import Sightings, why
from agent.volumes.canary.trying import Canary, CanaryResult, CanaryTarget
from agent.volumes.canary.uid import CanaryUid
from agent.volumes.planning import AreaPlan
from agent.volumes.protection import Protection
from agent.volumes.status import ProtectedArea
from rules.text import Message
from rules.tiers import Tier, Use, cuts
from rules.visible import visible


class CanaryWatch:
    """The canaries of one agent. :meth:`step` belongs to one thread; the other methods are for any thread."""

    def __init__(
        self,
        site: SiteContext,
        decider: DeciderClient,
        groups: FanotifyGroups | None,
        protection: Protection,
        periods: CanaryPeriods,
    ) -> None:
        """*groups* is ``None`` in a rehearsal, which tries nothing."""
        self._site = site
        self._decider = decider
        self._protection = protection
        self._periods = periods
        self._canary = Canary(groups, decider, CanaryUid(self._taken)) if groups else None
        self._sightings = Sightings(periods, site.now())
        self._reports = CanaryReports()
        self._turn = threading.Lock()  # held while trying; no other lock is taken under it
        self._wanted: set[str] = set()
        self._next = 0.0
        self._tiers_seen: tuple[tuple[str, Tier], ...] = ()

    def step(self) -> None:
        """Try the areas that are due. Raises :class:`ShoumiError` when an entry could not be written; it is retried."""
        now = moment()
        tiers = tuple(self._protection.tiers().items())
        if self._canary is None or (now < self._next and tiers == self._tiers_seen and not self._wanted):
            return
        targets = self._targets()
        wanted, self._wanted = self._wanted, set()
        tried = [self._sightings.tried(target.area, target.volume) for target in targets.values()]
        names = dict.fromkeys([*schedule.due(tried, self._periods, now), *(wanted & targets.keys())])
        try:
            self._try([targets[name] for name in names])
        finally:
            self._sightings.keep([*self._protection.plans])
            tried = [self._sightings.tried(target.area, target.volume) for target in targets.values()]
            self._next, self._tiers_seen = schedule.next_due(tried, self._periods), tiers
        self._summarise()

    def now(self, area: str) -> CanaryResult | None:
        """Try one area at once, covered or not, and apply the result; return ``None`` when there is nothing to try."""
        target = self._targets().get(area)
        if self._canary is None or target is None:
            return None
        return next(iter(self._try([target])), None)

    def soon(self, area: str) -> None:
        """Schedule an area for the next step."""
        self._wanted.add(area)

    def prove(self, areas: Iterable[tuple[ProtectedArea, AreaPlan, Tier]]) -> dict[str, Finding]:
        """Try enforced areas that do not count as protected yet; return a finding for each guard that was not
        confirmed.

        For the caller that covers, marks and uncovers: nothing is covered here. One process tries many areas.
        """
        if self._canary is None:
            return {}
        targets = [_target(area.name, plan, tier, enforced=True) for area, plan, tier in areas]
        with self._turn:
            results = {attempt.target.area: attempt for attempt in self._canary.try_areas(targets)}
            failed = [attempt.target for attempt in results.values() if attempt.outcome != "seen"]
            results |= {attempt.target.area: attempt for attempt in self._canary.try_areas(failed)}
            self._note(list(results.values()))
        return {name: finding(attempt) for name, attempt in results.items() if attempt.outcome != "seen"}

    def view(self, area: str, *, enforced: bool) -> dict[str, Any]:
        """Return the results of an area: see :meth:`agent.volumes.canary.sightings.Sightings.view`."""
        return self._sightings.view(area, moment(), enforced=enforced)

    def _try(self, targets: Sequence[CanaryTarget]) -> list[CanaryResult]:
        assert self._canary
        if not targets:
            return []
        with self._turn:
            results = list(self._canary.try_areas(targets))
            if any(attempt.outcome != "seen" for attempt in results):
                valid = self._targets()
                failed = [attempt.target.area for attempt in results if attempt.outcome != "seen"]
                second = self._canary.try_areas([valid[name] for name in failed if name in valid])
                results = [*(attempt for attempt in results if attempt.outcome == "seen"), *second]
        for attempt in results:
            if attempt.outcome == "missing" and attempt.target.enforced:
                self._protection.close_area(attempt.target.area, finding(attempt))
        with self._turn:
            self._note(results)
        return results

    def _note(self, results: Sequence[CanaryResult]) -> None:
        now, at = moment(), self._site.now()
        for attempt in results:
            self._sightings.note(attempt, now, at)
        for entry in self._reports.news(results, now, at):
            try:
                self._decider.append(entry.fields)
            except ShoumiError:  # the next attempt is reported as new
                self._reports.unwritten(entry.areas)

    def _summarise(self) -> None:
        for volume, fields in list(self._reports.summaries(moment())):
            with suppress(ShoumiError):
                self._decider.append(fields)
                self._reports.told(volume)

    def _targets(self) -> dict[str, CanaryTarget]:
        modes = {place.area: place.enforced for place in self._site.facts.places()}
        protected = self._protection.now
        return {
            name: _target(name, plan, protected[name].tier, enforced=modes[name])
            for name, plan in list(self._protection.plans.items())
            if name in modes and name in protected and protected[name].tier != "none"  # else it is closed
        }

    def _taken(self) -> Collection[int]:
        facts = self._site.facts
        return {*facts.accounts(), *facts.service_uids()}


def moment() -> float:
    """Return the seconds of a clock that never goes back and counts during suspend."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def finding(attempt: CanaryResult) -> Finding:
    """Return the finding about an area whose guard was not confirmed."""
    name, reason = visible(attempt.target.area), why(attempt)
    if attempt.outcome == "unknown":
        return Finding(
            "serious",
            status.NOT_TRIED,
            Message("control.guard-not-testable", area=name, reason=reason),
            Message("control.canary-retry-automatic"),
        )
    return Finding(
        "serious",
        status.NOT_SEEN,
        Message("control.guard-not-confirmed", area=name, reason=reason),
        Message("control.see-canary-entries"),
    )


def _target(name: str, plan: AreaPlan, tier: Tier, *, enforced: bool) -> CanaryTarget:
    major, minor = plan.device
    return CanaryTarget(name, plan.path, plan.st_dev, f"{major}:{minor}", enforced, cuts(tier, Use.READ))
