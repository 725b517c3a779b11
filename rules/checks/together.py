"""What a room asks of everybody in it taken together: who is first, and how many there may be.

Rules of this file: it counts people and does not judge them; whoever may enter alone is judged by the other rules. Who
goes in with somebody is counted with him, so that two cannot share the last place.
"""

from rules.model import Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible


def first_in(request: Request, place: Resource, pack: Pack) -> RuleResult | None:
    """首入: an empty room is opened by its custodian, and is open to the others until it is empty again."""
    if place.room is None or not place.room.first_in:
        return None
    clauses, shown = pack.clauses.get("first-in", ()), visible(place.id)
    if request.inside or place.custodian in (*request.persons, *request.companions):
        return RuleResult("first-in", True, Text("the custodian came first", "负责人已先进入"), clauses)
    return RuleResult(
        rule="first-in",
        ok=False,
        because=Text(f"the custodian of `{shown}` has not come yet", f"`{shown}` 的负责人尚未进入"),
        clauses=clauses,
        change=Text("the custodian enters", "由负责人先进入"),
    )


def limit(request: Request, place: Resource, pack: Pack) -> RuleResult | None:
    """限员: no more are inside than the room takes."""
    if place.room is None or not place.room.occupancy_limit:
        return None
    clauses, shown, most = pack.clauses.get("limit", ()), visible(place.id), place.room.occupancy_limit
    if len({*request.inside, *request.companions, *request.persons}) <= most:
        return RuleResult("limit", True, Text("there is room for everybody", "未超过人数上限"), clauses)
    return RuleResult(
        rule="limit",
        ok=False,
        because=Text(f"`{shown}` takes `{most}` at most", f"`{shown}` 最多容纳 `{most}` 人"),
        clauses=clauses,
        change=Text("somebody leaves", "有人离开"),
    )
