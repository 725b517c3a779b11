"""Scheduled acts: areas return to observe mode, volumes are sealed, leave dates are carried out.

Rules of this file: an act of the agent is executed like an officer's (:class:`agent.control.transaction.ActExecutor`).
The registry determines what is due; no state between steps has to survive a restart.
"""

from collections.abc import Callable, Iterable

from agent.control.transaction import ActExecutor
from agent.registry.columns import instant
from agent.site.context import SiteContext


class ScheduledActs:
    """Belongs to the thread of acts, which calls :meth:`step` every few seconds.

    *sealable* returns the areas whose volume is to be sealed; *lapses* handles expired grants.
    """

    def __init__(
        self,
        site: SiteContext,
        executor: ActExecutor,
        sealable: Callable[[], Iterable[str]],
        lapses: Callable[[], object],
    ) -> None:
        self._site = site
        self._executor = executor
        self._sealable = sealable
        self._lapses = lapses

    def step(self) -> None:
        """Execute the acts that are due. Raises :class:`agent.errors.ShoumiError` on failure; the next step retries."""
        if self._executor.older():
            return  # acts due by an older registry may have been executed since
        self._lapses()
        self._executor.settle()
        for area in self._site.lists.areas.to_confirm(self._site.now()):
            self._executor.execute_own("area.observe", {"area": area}, by="schedule")
        until = self._site.facts.break_glass().broken_until
        if until and until <= self._site.now():
            self._executor.execute_own("breakglass.close", {"reason": "its hour is over"}, by="schedule")
        for row in self._site.lists.proposals.lapsed(instant(self._site.now())):
            self._executor.execute_own("proposal.lapse", {"proposal": row["id"]}, by="schedule")
        for case in self._site.lists.cases.due(self._site.now()):
            self._executor.execute_own("case.carry-out", {"person": case.id}, by="schedule")
        while sealable := list(self._sealable()):  # one act seals a whole volume with all its areas
            self._executor.execute_own("area.seal", {"area": sealable[0]}, by="labels")
