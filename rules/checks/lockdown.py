"""封控: while a room or the site is locked down, nobody goes in, and everybody may leave.

Rules of this file: a lockdown only ever takes away; it is about rooms, because files have holds. Leaving is decided
before this rule is asked.
"""

from datetime import datetime

from rules.clock import RuleClock
from rules.model import Facts, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible


def lockdown(place: Resource, facts: Facts, pack: Pack, now: datetime) -> RuleResult | None:
    """No lockdown of the room or of the site has begun."""
    if place.room is None:
        return None
    clock, clauses, shown = RuleClock(now), pack.clauses.get("lockdown", ()), visible(place.id)
    begun = [clock.reached(stop.since) for stop in facts.lockdowns if stop.room in ("", place.id)]  # all: no order
    if any(begun):
        return RuleResult(
            rule="lockdown",
            ok=False,
            because=Text(f"`{shown}` is locked down", f"`{shown}` 已封控"),
            clauses=clauses,
            change=Text("an officer lifts the lockdown", "由管理员解除封控"),
            until=clock.until,
        )
    because = Text(f"`{shown}` is not locked down", f"`{shown}` 未封控")
    return RuleResult("lockdown", True, because, clauses, until=clock.until)
