"""Work that takes long: it goes on when its screen is left, says how far it is, and says when it is over.

Rules of this file: work belongs to the program, not to a screen. What was begun at the agent goes on there even when
the terminal is closed; that is said where it is true.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from rules.text import Text


@dataclass(slots=True)
class Job:
    """One thing under way. ``done`` of ``of`` steps; ``of`` is 0 while nobody knows."""

    title: Text
    done: int = 0
    of: int = 0

    @property
    def far(self) -> Text:
        """How far it is."""
        if not self.of:
            return Text("running", "进行中") if not self.done else Text(f"{self.done:,}", f"{self.done:,}")
        return Text(f"{self.done:,} of {self.of:,}", f"{self.done:,} / {self.of:,}")


# Gets its own Work, to say how far it is; what it returns is said at its end. It may raise ShoumiError.
LongWork = Callable[[Job], Coroutine[Any, Any, Text | None]]


class JobList:
    """What is under way. ``changed`` is called whenever that, or how far something is, changes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.going: list[Job] = []
        self._changed = changed

    def begin(self, title: Text, of: int = 0) -> Job:
        """Take up a work."""
        work = Job(title, of=of)
        self.going.append(work)
        self._changed()
        return work

    def step(self, work: Job, done: int, of: int | None = None) -> None:
        """Say how far *work* is."""
        work.done, work.of = done, work.of if of is None else of
        self._changed()

    def end(self, work: Job) -> None:
        """Take a work off the list."""
        self.going.remove(work)
        self._changed()
