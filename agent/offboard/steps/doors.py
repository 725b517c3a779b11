"""The doors step: every door refuses the leaver, and each door that stores cards has confirmed it.

Rules of this file: nothing waits for a door (the step runs alongside), and no door for another one. A door is confirmed
when it is *known* to refuse: a board after the card was looked for on it and not found, a reader that stores no cards
when the rules were evaluated for the leaver and denied. Every other door is pending, by name, and tried again. Leaving
a room stays possible; rooms with the person inside are named, because an officer has to go there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.offboard.context import DoorRefusal, RevocationContext, RevocationSubject
from agent.offboard.receipt.timeline import DoorMark, written
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Message, Sentence, from_json
from rules.visible import visible

ID = "doors"
_NAMED = 10  # doors that a sentence names


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    """Return a reason when this site has no doors."""
    has_doors = context.doors is not None and any(True for _ in context.doors.names())
    return None if has_doors else Message("offboard.no-doors")


def find_targets(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the doors that will refuse, and the rooms the person is in now."""
    if context.doors is None:
        return ()
    rooms = [visible(room) for room in context.doors.inside(leaver.id)]
    ends = [StepTarget(Message("offboard.door", name=name)) for name in context.doors.names()]
    return (*ends, *(StepTarget(Message("offboard.person-in-room", room=room)) for room in rooms))


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Take the badges off every door. ``facts``: each door with its state and instant, and the rooms they are in."""
    if context.doors is None:
        return StepResult(StepState.SKIPPED, Message("offboard.no-doors"))
    inside = sorted(context.doors.inside(leaver.id))
    refusals = sorted(context.doors.refuse(leaver.id), key=lambda door: door.name)
    open_ = [door for door in refusals if not door.confirmed]
    facts = {"doors": [_fact(door) for door in refusals], "inside": inside}
    return StepResult(StepState.PENDING if open_ else StepState.CONFIRMED, _sentence(refusals, open_, inside), facts)


def of_facts(facts: Mapping[str, Any]) -> tuple[DoorMark, ...]:
    """Return the doors of a receipt from the ``facts`` of this step."""
    return tuple(
        DoorMark(
            str(door["door"]),
            str(StepState.CONFIRMED if door["state"] == "confirmed" else StepState.PENDING),
            datetime.fromisoformat(door["at"]) if door["at"] else None,
            from_json(door["detail"]),
        )
        for door in facts.get("doors", ())
    )


def _fact(door: DoorRefusal) -> dict[str, Any]:
    return {
        "door": door.name,
        "state": "confirmed" if door.confirmed else "pending",
        "at": written(door.at),
        "detail": door.detail.to_json(),
    }


def _sentence(refusals: list[DoorRefusal], open_: list[DoorRefusal], inside: list[str]) -> Sentence:
    summary = Message("offboard.doors-refuse", refusing=len(refusals) - len(open_), count=len(refusals))
    if open_:
        names = [f"`{door.name}`" for door in open_[:_NAMED]]
        more = [f"+{len(open_) - _NAMED}"] if len(open_) > _NAMED else []
        summary = Message("offboard.doors-not-confirmed", summary=summary, doors=[*names, *more])
    if inside:
        summary = Message("offboard.person-inside", summary=summary, rooms=[f"`{room}`" for room in inside])
    return summary


STEP = RevocationStep(
    ID, Message("common.every-door-refuses"), probe, find_targets, run, alongside=True, urgent=True, whole=True
)
