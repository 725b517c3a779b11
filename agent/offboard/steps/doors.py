"""Doors: every one of them refuses the leaver, and each that keeps cards of its own has said so.

Rules of this file: nothing waits for a door (the step runs alongside), and no door for another one. A door is confirmed
when it is *known* to refuse: a board after the card was looked for on it and not found, a reader that keeps no cards
when the rules were asked as the leaver and said no. Everything else is pending, by name, and tried again. Leaving a
room stays possible; whoever is inside is named, because somebody has to go there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.offboard.context import Context, DoorState, Leaver
from agent.offboard.receipt.timeline import Door, written
from agent.offboard.steps.step import Result, State, Step, Target
from rules.text import Text
from rules.visible import visible

ID = "doors"


def probe(_leaver: Leaver, context: Context) -> Text | None:
    """Return a reason when this site has no doors."""
    there = context.doors is not None and any(True for _ in context.doors.names())
    return None if there else Text("this site has no doors", "本站点没有门")


def look(leaver: Leaver, context: Context) -> tuple[Target, ...]:
    """Return the doors that will refuse, and the rooms the person is in now."""
    if context.doors is None:
        return ()
    rooms = [visible(room) for room in context.doors.inside(leaver.id)]
    ends = [Target(Text(f"door `{visible(name)}`", f"门 `{visible(name)}`")) for name in context.doors.names()]
    return (*ends, *(Target(Text(f"is inside `{room}` now", f"现在 `{room}` 内")) for room in rooms))


def run(leaver: Leaver, context: Context, _case: str) -> Result:
    """Take the badges off every door. ``facts``: each door with its state and instant, and the rooms they are in."""
    if context.doors is None:
        return Result(State.SKIPPED, Text("this site has no doors", "本站点没有门"))
    inside = sorted(context.doors.inside(leaver.id))
    found = sorted(context.doors.refuse(leaver.id), key=lambda door: door.name)
    open_ = [door for door in found if not door.confirmed]
    facts = {"doors": [_fact(door) for door in found], "inside": inside}
    return Result(State.PENDING if open_ else State.CONFIRMED, _sentence(found, open_, inside), facts)


def of_facts(facts: Mapping[str, Any]) -> tuple[Door, ...]:
    """Return the doors of a receipt from the ``facts`` of this step."""
    return tuple(
        Door(
            str(door["door"]),
            str(State.CONFIRMED if door["state"] == "confirmed" else State.PENDING),
            datetime.fromisoformat(door["at"]) if door["at"] else None,
            Text(door["detail"]["en"], door["detail"]["zh"]),
        )
        for door in facts.get("doors", ())
    )


def _fact(door: DoorState) -> dict[str, Any]:
    return {
        "door": door.name,
        "state": "confirmed" if door.confirmed else "pending",
        "at": written(door.at),
        "detail": door.detail._asdict(),
    }


def _sentence(found: list[DoorState], open_: list[DoorState], inside: list[str]) -> Text:
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


STEP = Step(ID, Text("every door refuses", "各门均拒绝"), probe, look, run, alongside=True, urgent=True, leaving=True)
