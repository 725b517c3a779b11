"""Visits 来访: the valid visits of a person, which replace level, scope, grant and records in a room.

Rules of this file: a visit is valid for the room it names, with other people as host and escort, with a purpose, within
its window and within the limits of the pack; otherwise it is not valid at all. It replaces requirements only in rooms.
Another rule checks that the escort is present.
"""

from datetime import timedelta
from enum import IntEnum

from rules.evaluation import RuleContext
from rules.model import Employment, RuleResult, Visit
from rules.text import Message

UNDER_ESCORT = Message("rules.escorted-visit-replaces")


class VisitFlaw(IntEnum):
    """Reasons why a visit is not valid; the later one is the nearer miss, and a denial names the nearest."""

    NONE_THERE = 0
    NOT_TAKEN = 1
    NO_HOST = 2
    NO_ESCORT = 3
    NO_PURPOSE = 4
    TOO_HIGH = 5
    TOO_LONG = 6
    ENDED = 7
    NOT_BEGUN = 8


_FLAW_MESSAGES = {
    VisitFlaw.NONE_THERE: Message("rules.no-visit-registered"),
    VisitFlaw.NOT_TAKEN: Message("rules.visits-disabled"),
    VisitFlaw.NO_HOST: Message("rules.visit-without-host"),
    VisitFlaw.NO_ESCORT: Message("rules.visit-without-escort"),
    VisitFlaw.NO_PURPOSE: Message("rules.visit-without-purpose"),
    VisitFlaw.TOO_HIGH: Message("rules.visit-level-too-high"),
    VisitFlaw.TOO_LONG: Message("rules.visit-too-long"),
    VisitFlaw.ENDED: Message("rules.visit-ended"),
    VisitFlaw.NOT_BEGUN: Message("rules.visit-not-begun"),
}


def visit(case: RuleContext) -> RuleResult | None:
    """A visitor needs a valid visit; any other person with one may enter under escort (D10-4.4a, D10-4.4b)."""
    if case.resource.room is None:
        return None
    flaw = _obstacle(case)
    if flaw is None:
        return case.ok("visit", Message("rules.visit-registered", person=case.person.id))
    if case.person.employment is not Employment.VISITOR:
        return None if flaw is VisitFlaw.NONE_THERE else case.ok("visit", Message("rules.no-valid-visit"))
    return case.deny(
        "visit",
        _FLAW_MESSAGES[flaw].about(person=case.person.id, resource=case.resource.id),
        Message("rules.register-visit"),
    )


def on_visit(case: RuleContext) -> bool:
    """Whether the person enters on a visit: the escort then replaces level, scope, grant and records."""
    return case.resource.room is not None and _obstacle(case) is None


def escorts(case: RuleContext) -> frozenset[str]:
    """Return the escorts of the valid visits of the person."""
    return frozenset(entry.escort for entry in case.person.visits if _flaw(case, entry) is None)


def _obstacle(case: RuleContext) -> VisitFlaw | None:
    flaws = [_flaw(case, entry) for entry in case.person.visits]
    counted = [flaw for flaw in flaws if flaw is not None]
    return None if len(counted) < len(flaws) else max(counted, default=VisitFlaw.NONE_THERE)


def _flaw(case: RuleContext, entry: Visit) -> VisitFlaw | None:
    """Return the flaw of *entry*. Flaws that time cannot change come first, so that they bound nothing."""
    fixed = _fixed_flaw(case, entry)
    if fixed is not None:
        return fixed
    if not case.clock.reached(entry.since):
        return VisitFlaw.NOT_BEGUN
    return VisitFlaw.ENDED if entry.until is not None and case.clock.reached(entry.until) else None


def _fixed_flaw(case: RuleContext, entry: Visit) -> VisitFlaw | None:
    rule, self_id = case.pack.visit, case.person.id
    wrong = (
        (VisitFlaw.NONE_THERE, entry.room != case.resource.id),
        (VisitFlaw.NOT_TAKEN, rule is None),
        (VisitFlaw.NO_HOST, entry.host.strip() in ("", self_id)),
        (VisitFlaw.NO_ESCORT, entry.escort.strip() in ("", self_id)),
        (VisitFlaw.NO_PURPOSE, not entry.purpose.strip()),
        (VisitFlaw.TOO_HIGH, rule is not None and case.resource.level > rule.max_level),
        (VisitFlaw.TOO_LONG, rule is not None and _too_long(entry, rule.max_days)),
    )
    return next((flaw for flaw, is_so in wrong if is_so), None)


def _too_long(entry: Visit, most: int) -> bool:
    return entry.until is None or entry.until - entry.since > timedelta(days=most)
