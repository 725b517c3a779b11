"""What the control process does by itself: areas go back to observe, volumes are sealed, leave dates are carried out.

Rules of this file: an act of the agent goes the same way as an officer's
(:class:`agent.control.transaction.ActExecutor`). Deciding what is due is a question to the registry; nothing is
remembered between steps that a restart may not forget.
"""

from collections.abc import Callable, Iterable

from agent.control.transaction import ActExecutor
from agent.registry.columns import instant
from agent.site.context import SiteContext


class ScheduledActs:
    """Belongs to the thread of acts, which calls :meth:`step` every few seconds.

    *sealable* says of which areas the volume is to be sealed; *lapses* deals with grants that ended by themselves.
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
        """Do what is due. Raises :class:`agent.errors.ShoumiError` when it could not be; the next step tries again."""
        if self._executor.older():
            return  # what is due by an older registry may have been dealt with since
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
        while sealable := list(self._sealable()):  # one act seals a whole volume, however many areas it has
            self._executor.execute_own("area.seal", {"area": sealable[0]}, by="labels")
