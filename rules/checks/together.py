"""Presence rules of a room: the first person in, and the occupancy limit.

Rules of this file: these rules count people; the other rules judge each person. People who enter together are counted
together, so that two cannot share the last place.
"""

from rules.model import Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Message


def first_in(request: Request, place: Resource, pack: Pack) -> RuleResult | None:
    """首入: the custodian enters an empty room first; others may enter until it is empty again."""
    if place.room is None or not place.room.first_in:
        return None
    clauses = pack.clauses.get("first-in", ())
    if request.inside or place.custodian in (*request.persons, *request.companions):
        return RuleResult("first-in", True, Message("rules.custodian-entered-first"), clauses)
    return RuleResult(
        rule="first-in",
        ok=False,
        because=Message("rules.custodian-not-inside", room=place.id),
        clauses=clauses,
        change=Message("rules.custodian-must-enter"),
    )


def limit(request: Request, place: Resource, pack: Pack) -> RuleResult | None:
    """限员: no more people are inside than the occupancy limit."""
    if place.room is None or not place.room.occupancy_limit:
        return None
    clauses, most = pack.clauses.get("limit", ()), place.room.occupancy_limit
    if len({*request.inside, *request.companions, *request.persons}) <= most:
        return RuleResult("limit", True, Message("rules.room-below-limit"), clauses)
    return RuleResult(
        rule="limit",
        ok=False,
        because=Message("rules.room-full", room=place.id, count=most),
        clauses=clauses,
        change=Message("rules.wait-for-exit"),
    )
