"""Steps that are reopened when a proof finds a process that they should have ended.

    proof finds a process → units, processes-again (departure) or holders (the person stays) are open again → they, then
    the proof, are done once more, :data:`MOST` times in one go, and by every later pass over the run

Rules of this file: pure. An open step is not opened twice, and a skipped one has nothing to end here; nor is a step
opened for what it would spare: the agent's own processes, the caller, a service that acts for another person. The
reason names the processes found, and what may have started them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.offboard import proof
from agent.offboard.guardrails import Reach
from agent.offboard.journal import JournaledStep
from agent.offboard.steps import holders, processes, units
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Message, Sentence

MOST = 3
"""Repetitions in one go: a process that still comes back after these waits for an administrator."""

_ENDED = frozenset((Reach.ACCOUNT, Reach.LOGIN, Reach.SUBORDINATE, Reach.SERVICE))
_ENDING = frozenset((holders.STEP.id, processes.AGAIN.id, units.STEP.id))
_SHOWN = 5


def reopened(steps: Sequence[JournaledStep]) -> list[JournaledStep]:
    """Return the steps that are pending again after the proof in *steps*; empty: none is."""
    last = next((step for step in steps if step.step == proof.STEP.id), None)
    if last is None or last.result.state is not StepState.PENDING:
        return []
    processes_found = _processes_found(last.result.facts)
    if not processes_found:
        return []
    return [
        JournaledStep(
            step.step,
            StepResult(StepState.PENDING, _reason(processes_found), step.result.facts),
            began_at=last.began_at,
            ended_at=last.ended_at,
        )
        for step in steps
        if step.step in _ENDING and step.result.state in (StepState.DONE, StepState.CONFIRMED)
    ]


def _processes_found(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the processes of all scans that the steps would end, each once."""
    scans: Iterable[Mapping[str, Any]] = facts.get("scans", ())
    by_pid = {process["pid"]: process for scan in scans for process in scan["found"] if process.get("reach") in _ENDED}
    return [by_pid[pid] for pid in sorted(by_pid)]


def _reason(processes_found: Sequence[Mapping[str, Any]]) -> Sentence:
    named = processes_found[:_SHOWN]
    return Message(
        "offboard.proof-found-processes", count=len(processes_found), processes=[_process(process) for process in named]
    )


def _process(process: Mapping[str, Any]) -> Sentence:
    by, about = process.get("started_by"), {"pid": process["pid"], "name": process["name"]}
    if not by:
        return Message("offboard.process", **about)
    return Message("offboard.process-started-by", starter=Starter(by["kind"], by["name"], by["pid"]).text, **about)
