"""Marking 标密: a resource without level, secrecy period or need-to-know scope is opened to no one.

Rules of this file: this result concerns the resource alone. The regulations require the marks when a directory is
registered (D05-2.3a, D13-3.10.1); checking them at every access closes every way around the registry.
"""

from rules.model import Level, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Message, Sentence


def marking(place: Resource, pack: Pack) -> RuleResult:
    """The resource carries the marks that *pack* requires. Every pack requires a level."""
    clauses = pack.clauses.get("marking", ())
    missing = _missing(place, pack)
    if missing is None:
        return RuleResult("marking", True, Message("rules.resource-marked"), clauses)
    return RuleResult(
        rule="marking",
        ok=False,
        because=Message("rules.mark-missing", resource=place.id, mark=missing),
        clauses=clauses,
        change=Message("rules.set-mark", mark=missing),
    )


def _missing(place: Resource, pack: Pack) -> Sentence | None:
    """Return the first missing mark. Period and scope belong to information, so rooms need not have them."""
    if place.level is Level.NONE:
        return Message("common.level")
    rule, circle = pack.marking, place.scope
    if rule is None or place.room is not None:
        return None
    if rule.period and place.secret_until is None:
        return Message("rules.secrecy-period")
    if rule.scope and not (circle.persons or circle.departments or circle.projects):
        return Message("rules.need-to-know-scope")
    return None
