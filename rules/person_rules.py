"""One person before one resource: which rules are asked, and in which order.

Rules of this file: the order is the product's: standing, domain, level, circle, grant, preconditions, hours, room.
Every rule is asked even when an earlier one denies, so that ``explain`` can show them all.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from rules.checks import clearance, grants, hours, records, room, scope, standing, visits
from rules.clock import RuleClock
from rules.evaluation import RuleContext
from rules.fail_closed import asked
from rules.model import Facts, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible

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
    """Yield what every rule that applies found about the person with the id *person*, in order."""
    known = facts.persons.get(person)
    if known is None or known.id != person:
        shown = visible(person)
        yield RuleResult(
            rule="unknown-person",
            ok=False,
            because=Text(f"`{shown}` is not registered", f"`{shown}` 未登记"),
            change=Text("the person is added", "登记此人"),
            person=person,
        )
        return
    case = RuleContext(request, facts, pack, now, resource, known)
    for name, rule in _rules(pack):
        case.clock = RuleClock(now)
        if found := asked(name, now, partial(rule, case), person):
            yield found


def _rules(pack: Pack) -> Iterator[tuple[str, Rule]]:
    yield from BEFORE_RECORDS
    for name, kind in pack.records.items():
        yield name, partial(records.record, name=name, kind=kind)
    yield from AFTER_RECORDS
