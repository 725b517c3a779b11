"""What is done again when a proof has found something: the step that should have ended it.

    proof finds a process → units, processes-again (who leaves) or holders (who stays) are open again → they, then the
    proof, are done once more, :data:`MOST` times in one go, and by every later look at the run

Rules of this file: pure. A step that is open already is not opened twice, and one that was skipped has nothing to end
here; nor is one opened for what it would leave alone: the agent's own, whoever asked, a service that acts for somebody.
The reason names what was found, and what may have started it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.offboard import proof
from agent.offboard.guardrails import Reach
from agent.offboard.journal import JournaledStep
from agent.offboard.steps import holders, processes, units
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text

MOST = 3
"""Times in one go: what comes back after that comes back whatever is done, and waits for an administrator."""

_ENDED = frozenset((Reach.ACCOUNT, Reach.LOGIN, Reach.SUBORDINATE, Reach.SERVICE))
_ENDING = frozenset((holders.STEP.id, processes.AGAIN.id, units.STEP.id))
_SHOWN = 5


def reopened(done: Sequence[JournaledStep]) -> list[JournaledStep]:
    """Return the steps that are pending again for what the proof in *done* has found; empty: nothing is."""
    last = next((one for one in done if one.step == proof.STEP.id), None)
    if last is None or last.result.state is not StepState.PENDING:
        return []
    found = _found(last.result.facts)
    if not found:
        return []
    return [
        JournaledStep(
            one.step,
            StepResult(StepState.PENDING, _reason(found), one.result.facts),
            began_at=last.began_at,
            ended_at=last.ended_at,
        )
        for one in done
        if one.step in _ENDING and one.result.state in (StepState.DONE, StepState.CONFIRMED)
    ]


def _found(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the processes of all looks that the steps would end, each once."""
    looks: Iterable[Mapping[str, Any]] = facts.get("scans", ())
    by_pid = {one["pid"]: one for look in looks for one in look["found"] if one.get("reach") in _ENDED}
    return [by_pid[pid] for pid in sorted(by_pid)]


def _reason(found: Sequence[Mapping[str, Any]]) -> Text:
    shown = found[:_SHOWN]
    en = ", ".join(f"{one['pid']} `{one['name']}`{_by(one)[0]}" for one in shown)
    zh = "、".join(f"{one['pid']} `{one['name']}`{_by(one)[1]}" for one in shown)
    count = len(found)
    return Text(f"the proof found {count}: {en}", f"证明时发现 {count} 个：{zh}")


def _by(one: Mapping[str, Any]) -> tuple[str, str]:
    by = one.get("started_by")
    if not by:
        return "", ""
    said = Starter(by["kind"], by["name"], by["pid"]).text
    return f" (started by {said.en})", f"（由{said.zh}启动）"
