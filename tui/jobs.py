"""Jobs: work that continues when its screen is left, reports its progress, and reports its end.

Rules of this file: a job belongs to the program, not to a screen. Work the agent has started continues there even when
the terminal is closed; the screens say so where it is true.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from rules.text import Message, Sentence


@dataclass(slots=True)
class Job:
    """One running job: ``completed`` of ``total`` steps; ``total`` is 0 while it is unknown."""

    title: Sentence
    completed: int = 0
    total: int = 0

    @property
    def progress(self) -> Sentence:
        """The progress in words."""
        if not self.total:
            return (
                Message("tui.job-running")
                if not self.completed
                else Message("common.plain-number", text=self.completed)
            )
        return Message("tui.progress-of", completed=self.completed, total=self.total)


# Receives its Job to report progress; the sentence it returns is shown at its end. It may raise ShoumiError.
LongWork = Callable[[Job], Coroutine[Any, Any, Sentence | None]]


class JobList:
    """The running jobs. ``changed`` is called whenever a job starts, progresses or ends."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.running: list[Job] = []
        self._changed = changed

    def begin(self, title: Sentence, total: int = 0) -> Job:
        """Add a job and return it."""
        job = Job(title, total=total)
        self.running.append(job)
        self._changed()
        return job

    def step(self, job: Job, completed: int, total: int | None = None) -> None:
        """Set the progress of *job*."""
        job.completed, job.total = completed, job.total if total is None else total
        self._changed()

    def end(self, job: Job) -> None:
        """Remove *job* from the list."""
        self.running.remove(job)
        self._changed()
