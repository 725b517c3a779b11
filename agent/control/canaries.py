"""Canaries at work: when they try, what is kept of it, what the log gets, and what follows a guard that is not seen.

    due (pure) → try, and what failed once more → remember → cover what was let in → entries

Rules of this file: an enforced area where somebody got in, or where the guard knows nothing of a refusal, is covered
before anything else is done, and the log says so with an alarm. What cannot be tried is unknown and closes nothing.
Nothing is covered where an area is only observed. An attempt that failed is made once more, with the area as it is
registered then: a removal or a change of mode must not be taken for a hole.
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
from rules.text import Text
from rules.tiers import Tier, Use, cuts
from rules.visible import visible


class CanaryWatch:
    """The canaries of one agent. :meth:`step` belongs to one thread, everything else is for any."""

    def __init__(
        self,
        site: SiteContext,
        decider: DeciderClient,
        groups: FanotifyGroups | None,
        protection: Protection,
        periods: CanaryPeriods,
    ) -> None:
        """*groups* is ``None`` in a rehearsal: then nothing is ever tried, and nothing seen."""
        self._site = site
        self._decider = decider
        self._protection = protection
        self._periods = periods
        self._canary = Canary(groups, decider, CanaryUid(self._taken)) if groups else None
        self._sightings = Sightings(periods, site.now())
        self._reports = CanaryReports()
        self._turn = threading.Lock()  # whoever tries; nobody waits for another lock with it
        self._wanted: set[str] = set()
        self._next = 0.0
        self._known: tuple[tuple[str, Tier], ...] = ()

    def step(self) -> None:
        """Try what is due. Raises :class:`ShoumiError` when an entry could not be written: it is tried again."""
        now = moment()
        known = tuple(self._protection.tiers().items())
        if self._canary is None or (now < self._next and known == self._known and not self._wanted):
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
            self._next, self._known = schedule.next_due(tried, self._periods), known
        self._summarise()

    def now(self, area: str) -> CanaryResult | None:
        """Try one area at once, covered or not, and do what follows; ``None`` when there is nothing to try."""
        target = self._targets().get(area)
        if self._canary is None or target is None:
            return None
        return next(iter(self._try([target])), None)

    def soon(self, area: str) -> None:
        """Have an area tried at the next step."""
        self._wanted.add(area)

    def prove(self, areas: Iterable[tuple[ProtectedArea, AreaPlan, Tier]]) -> dict[str, Finding]:
        """Try enforced areas that are not counted as protected yet; return what was found of those that were not seen.

        For who covers, marks and uncovers: nothing is covered here. One process tries many.
        """
        if self._canary is None:
            return {}
        targets = [_target(area.name, plan, tier, enforced=True) for area, plan, tier in areas]
        with self._turn:
            results = {result.target.area: result for result in self._canary.try_areas(targets)}
            failed = [result.target for result in results.values() if result.outcome != "seen"]
            results |= {result.target.area: result for result in self._canary.try_areas(failed)}
            self._note(list(results.values()))
        return {name: finding(result) for name, result in results.items() if result.outcome != "seen"}

    def view(self, area: str, *, enforced: bool) -> dict[str, Any]:
        """Return what was seen of an area: see :meth:`agent.volumes.canary.sightings.Sightings.view`."""
        return self._sightings.view(area, moment(), enforced=enforced)

    def _try(self, targets: Sequence[CanaryTarget]) -> list[CanaryResult]:
        assert self._canary
        if not targets:
            return []
        with self._turn:
            results = list(self._canary.try_areas(targets))
            if any(result.outcome != "seen" for result in results):
                valid = self._targets()
                failed = [result.target.area for result in results if result.outcome != "seen"]
                second = self._canary.try_areas([valid[name] for name in failed if name in valid])
                results = [*(result for result in results if result.outcome == "seen"), *second]
        for result in results:
            if result.outcome == "missing" and result.target.enforced:
                self._protection.close_area(result.target.area, finding(result))
        with self._turn:
            self._note(results)
        return results

    def _note(self, results: Sequence[CanaryResult]) -> None:
        now, at = moment(), self._site.now()
        for result in results:
            self._sightings.note(result, now, at)
        for entry in self._reports.news(results, now, at):
            try:
                self._decider.append(entry.fields)
            except ShoumiError:  # what is tried next is news again
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
    """Return seconds of a clock that never goes back, and counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def finding(result: CanaryResult) -> Finding:
    """Say that the guard of an area was not seen."""
    name, said = visible(result.target.area), why(result)
    if result.outcome == "unknown":
        return Finding(
            "serious",
            status.NOT_TRIED,
            Text(f"the guard of `{name}` could not be tried: {said.en}", f"未能检验 `{name}` 的防护：{said.zh}"),
            Text(
                "it is tried again by itself, and opens when the guard is seen",
                "系统会自动重试，证实防护后即开放",
            ),
        )
    return Finding(
        "serious",
        status.NOT_SEEN,
        Text(f"the guard of `{name}` was not seen: {said.en}", f"未能证实 `{name}` 的防护：{said.zh}"),
        Text(
            "see `shoumi log list --kind canary`; mend that: at the latest a restart of the agent tries it again",
            "参见 `shoumi log list --kind canary`；排除后，最迟在代理重启时会重新检验",
        ),
    )


def _target(name: str, plan: AreaPlan, tier: Tier, *, enforced: bool) -> CanaryTarget:
    major, minor = plan.device
    return CanaryTarget(name, plan.path, plan.st_dev, f"{major}:{minor}", enforced, cuts(tier, Use.READ))
