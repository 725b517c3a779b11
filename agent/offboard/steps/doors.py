"""Doors: every one of them refuses the leaver, and each that keeps cards of its own has said so.

Rules of this file: nothing waits for a door (the step runs alongside), and no door for another one. A door is confirmed
when it is *known* to refuse: a board after the card was looked for on it and not found, a reader that keeps no cards
when the rules were asked as the leaver and said no. Everything else is pending, by name, and tried again. Leaving a
room stays possible; whoever is inside is named, because somebody has to go there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.offboard.context import DoorRefusal, RevocationContext, RevocationSubject
from agent.offboard.receipt.timeline import DoorMark, written
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget
from rules.text import Text
from rules.visible import visible

ID = "doors"


def probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    """Return a reason when this site has no doors."""
    there = context.doors is not None and any(True for _ in context.doors.names())
    return None if there else Text("this site has no doors", "本站点没有门")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return the doors that will refuse, and the rooms the person is in now."""
    if context.doors is None:
        return ()
    rooms = [visible(room) for room in context.doors.inside(leaver.id)]
    ends = [StepTarget(Text(f"door `{visible(name)}`", f"门 `{visible(name)}`")) for name in context.doors.names()]
    return (*ends, *(StepTarget(Text(f"is inside `{room}` now", f"现在 `{room}` 内")) for room in rooms))


def run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Take the badges off every door. ``facts``: each door with its state and instant, and the rooms they are in."""
    if context.doors is None:
        return StepResult(StepState.SKIPPED, Text("this site has no doors", "本站点没有门"))
    inside = sorted(context.doors.inside(leaver.id))
    found = sorted(context.doors.refuse(leaver.id), key=lambda door: door.name)
    open_ = [door for door in found if not door.confirmed]
    facts = {"doors": [_fact(door) for door in found], "inside": inside}
    return StepResult(StepState.PENDING if open_ else StepState.CONFIRMED, _sentence(found, open_, inside), facts)


def of_facts(facts: Mapping[str, Any]) -> tuple[DoorMark, ...]:
    """Return the doors of a receipt from the ``facts`` of this step."""
    return tuple(
        DoorMark(
            str(door["door"]),
            str(StepState.CONFIRMED if door["state"] == "confirmed" else StepState.PENDING),
            datetime.fromisoformat(door["at"]) if door["at"] else None,
            Text(door["detail"]["en"], door["detail"]["zh"]),
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


def _sentence(found: list[DoorRefusal], open_: list[DoorRefusal], inside: list[str]) -> Text:
    said = Text(
        f"{len(found) - len(open_)} of {len(found)} doors refuse",
        f"{len(found)} 个门中 {len(found) - len(open_)} 个已拒绝",
    )
    if open_:
        names = visible(", ".join(door.name for door in open_[:10])) + (" …" if len(open_) > 10 else "")
        said = Text(f"{said.en}; not confirmed: `{names}`", f"{said.zh}；未确认：`{names}`")
    if inside:
        rooms = visible(", ".join(inside))
        said = Text(f"{said.en}; the person is inside `{rooms}`", f"{said.zh}；该人员现在 `{rooms}` 内")
    return said


STEP = RevocationStep(
    ID, Text("every door refuses", "各门均拒绝"), probe, look, run, alongside=True, urgent=True, whole=True
)
