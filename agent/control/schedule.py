"""What the control process does by itself: areas go back to observe.

Rules of this file: an act of the agent goes the same way as an officer's
(:class:`agent.control.transaction.ActExecutor`). Deciding what is due is a question to the registry; nothing is
remembered between steps that a restart may not forget.
"""

from agent.control.transaction import ActExecutor
from agent.site.context import SiteContext


class ScheduledActs:
    """Belongs to the thread of acts, which calls :meth:`step` every few seconds."""

    def __init__(self, site: SiteContext, executor: ActExecutor) -> None:
        self._site = site
        self._executor = executor

    def step(self) -> None:
        """Do what is due. Raises :class:`agent.errors.ShoumiError` when it could not be; the next step tries again."""
        self._executor.settle()
        for area in self._site.lists.areas.to_confirm(self._site.now()):
            self._executor.execute_own("area.observe", {"area": area}, by="schedule")
