"""A run made for a test: its steps, who asks for it, and what became of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from agent.offboard.context import DenialAck, RevocationSubject
from agent.offboard.journal import JournaledStep, RevocationJournal
from agent.offboard.runner import Runner
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, always
from rules.text import Text

WHAT = Text("done", "完成")
OFFICERS = ("E2001",)
NOBODY = RevocationSubject("E1001")


def step(name: str, run: Callable[[], StepResult], **more: Any) -> RevocationStep:
    return RevocationStep(
        name, WHAT, always, lambda _leaver, _context: (), lambda _leaver, _context, _case: run(), **more
    )


def states(done: list[JournaledStep]) -> dict[str, StepState]:
    return {each.step: each.result.state for each in done}


def finish(runner: Runner, journal: RevocationJournal) -> None:
    """Do what is left of every run until nothing is, as the process of departures does again and again."""
    while left := [run.case for run in journal.unfinished()]:
        runner.advance_together(left, lambda _case: None)


def noting(denied: list[str]) -> Callable[[str], DenialAck]:
    def deny(person: str) -> DenialAck:
        denied.append(person)
        return DenialAck(len(denied), datetime.now(UTC))

    return deny
