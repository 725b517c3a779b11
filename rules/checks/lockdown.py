"""Lockdown 封控: no one enters a room or site that is locked down; everyone may leave.

Rules of this file: a lockdown only denies, and only for rooms; files have holds. Leaving is decided before this rule.
"""

from datetime import datetime

from rules.clock import RuleClock
from rules.model import Facts, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Message


def lockdown(place: Resource, facts: Facts, pack: Pack, now: datetime) -> RuleResult | None:
    """No lockdown of the room or of the site has begun."""
    if place.room is None:
        return None
    clock, clauses = RuleClock(now), pack.clauses.get("lockdown", ())
    begun = [clock.reached(stop.since) for stop in facts.lockdowns if stop.room in ("", place.id)]  # all: no order
    if any(begun):
        return RuleResult(
            rule="lockdown",
            ok=False,
            because=Message("rules.locked-down", place=place.id),
            clauses=clauses,
            change=Message("rules.lift-lockdown"),
            until=clock.until,
        )
    because = Message("rules.not-locked-down", place=place.id)
    return RuleResult("lockdown", True, because, clauses, until=clock.until)
