"""Judged time of the decider, and the actions after a jump of it.

Rules of this file: verdicts for another time are forgotten before the next one is reached; then the clock's file is
renewed, so that the other processes judge alike, and the step is recorded. Nothing here waits: the file is written by
its own thread, and an entry that cannot be written is owed.
"""

from collections.abc import Callable

from agent.guard.journal import EntryJournal
from agent.runtime.clock import AgentClock
from agent.runtime.clock_file import ClockKeeper


class JudgedTime:
    """Judged time for one thread. *forget* is called after a jump; without a *keeper* no file is written."""

    def __init__(
        self, clock: AgentClock, journal: EntryJournal, keeper: ClockKeeper | None, forget: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._keeper = keeper
        self._forget = forget

    def now(self) -> int:
        """Return it, in nanoseconds since 1970."""
        clock = self._clock
        now = clock.now()
        return self._moved() if clock.jumped or clock.steps else now

    def tend(self, moment: int) -> None:
        """Compare the clocks closely, about once a second; *moment* is in monotonic nanoseconds."""
        self._clock.compare()
        if self._keeper and self._keeper.due(moment):
            self._keeper.keep(self._clock.timeline)

    def accept(self) -> bool:
        """Follow the wall clock as it is, by an officer's decision; return ``False`` if it is followed already."""
        accepted = self._clock.accept()
        self._moved()
        return accepted

    def _moved(self) -> int:
        clock = self._clock
        if clock.jumped:
            clock.jumped = False
            self._forget()
        if self._keeper:
            self._keeper.keep(clock.timeline)
        while clock.steps:
            self._journal.step(clock.steps.pop(0))
        return clock.now()
