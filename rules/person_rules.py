"""Rules about one person and one resource, in the order in which they decide.

Rules of this file: the order is fixed: eligibility, domain, level, scope, grant, records, hours, room. Every rule is
evaluated even when an earlier one denies, so that ``explain`` can show them all.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from rules.checks import clearance, grants, hours, records, room, scope, standing, visits
from rules.clock import RuleClock
from rules.evaluation import RuleContext
from rules.fail_closed import fail_closed
from rules.model import Facts, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Message

Rule = Callable[[RuleContext], RuleResult | None]

BEFORE_RECORDS: tuple[tuple[str, Rule], ...] = (
    ("inactive", standing.active),
    ("hold", standing.hold),
    ("departure", standing.departure),
    ("employment", standing.employment),
    ("visit", visits.visit),
    ("barred", clearance.barred),
    ("domain", clearance.domain),
    ("level", clearance.level),
    ("scope", scope.scope),
    ("grant", grants.grant),
)
AFTER_RECORDS: tuple[tuple[str, Rule], ...] = (
    ("hours", hours.hours),
    ("in-room", room.in_room),
    ("badge", room.badge),
    ("one-place", room.one_place),
    ("purpose", room.purpose),
    ("declaration", room.declaration),
    ("pin", room.pin),
)


def findings(
    request: Request, facts: Facts, pack: Pack, now: datetime, resource: Resource, person: str
) -> Iterator[RuleResult]:
    """Yield the result of every rule that applies to the person with the id *person*, in order."""
    registered = facts.persons.get(person)
    if registered is None or registered.id != person:
        yield RuleResult(
            rule="unknown-person",
            ok=False,
            because=Message("rules.person-not-registered", person=person),
            change=Message("rules.register-person"),
            person=person,
        )
        return
    case = RuleContext(request, facts, pack, now, resource, registered)
    for name, rule in _rules(pack):
        case.clock = RuleClock(now)
        if finding := fail_closed(name, now, partial(rule, case), person):
            yield finding


def _rules(pack: Pack) -> Iterator[tuple[str, Rule]]:
    yield from BEFORE_RECORDS
    for name, kind in pack.records.items():
        yield name, partial(records.record, name=name, kind=kind)
    yield from AFTER_RECORDS
