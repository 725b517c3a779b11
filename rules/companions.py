"""Companions: escorts 陪同 and second persons 双人 at the entry of a room.

Rules of this file:
- a companion is not a subject of the request, needs no escort, and passes every rule about a person. Their own entry is
  decided by their own request, with their own purpose, declaration and PIN; here those of this request stand for both,
  so a door releases only when both verdicts allow;
- an escort is a companion whom the visit names. They are inside already or enter at the same time;
- a person with a valid visit enters on it, unless they are allowed without it (a visitor never is), so that
  registering a visit takes nothing away and ending one gives nothing.
"""

from dataclasses import replace
from datetime import datetime

from rules.checks.visits import escorts, on_visit
from rules.clock import RuleClock
from rules.evaluation import RuleContext
from rules.model import Facts, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.person_rules import findings
from rules.text import Message


def escort(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> RuleResult | None:
    """Everyone in the request who needs an escort has an allowed one."""
    clock, clauses = RuleClock(now), pack.clauses.get("escort", ())
    registered = {name: facts.persons[name] for name in dict.fromkeys(request.persons) if name in facts.persons}
    if not any(person.visits for person in registered.values()):
        return None
    question = (request, facts, pack, now, place)
    alone = [
        name
        for name, person in registered.items()
        if needs_escort(*question, name, clock) and not _escorted(RuleContext(*question, person), clock)
    ]
    if not alone:
        because = Message("rules.escorts-present")
        return RuleResult("escort", True, because, clauses, until=clock.until)
    return RuleResult(
        rule="escort",
        ok=False,
        because=Message("rules.escort-required", person=alone[0], room=place.id),
        clauses=clauses,
        change=Message("rules.escort-presents-badge"),
        until=clock.until,
        person=alone[0],
    )


def two_person(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> RuleResult | None:
    """A second allowed person enters with the subjects of the request, where room or pack require it."""
    rule = pack.two_person
    if place.room is None or not (place.room.two_person or (rule and place.level >= rule.from_level)):
        return None
    clock, clauses = RuleClock(now), pack.clauses.get("two-person", ())
    companions = dict.fromkeys(request.companions)
    allowed = [is_allowed_companion(request, facts, pack, now, place, name, clock) for name in companions]
    if any(allowed):  # all were checked, so that their order cannot matter
        because = Message("rules.second-person-enters")
        return RuleResult("two-person", True, because, clauses, until=clock.until)
    return RuleResult(
        rule="two-person",
        ok=False,
        because=Message("rules.two-persons-required", room=place.id),
        clauses=clauses,
        change=Message("rules.second-person-presents-badge"),
        until=clock.until,
    )


def needs_escort(
    request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, person: str, clock: RuleClock
) -> bool:
    """Whether *person*, who is in *facts*, needs an escort; *clock* receives the bounds."""
    registered = facts.persons[person]
    case = RuleContext(request, facts, pack, now, place, registered)
    case.clock = clock
    if not on_visit(case):
        return False
    without = replace(facts, persons={person: replace(registered, visits=())})
    results = list(findings(request, without, pack, now, place, person))
    for finding in results:
        clock.bound(finding.until)
    return not all(finding.ok for finding in results)


def is_allowed_companion(
    request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, companion: str, clock: RuleClock
) -> bool:
    """Whether *companion* may enter with the subjects of the request.

    They are named as companion, are no subject, need no escort and are allowed; *clock* receives the bounds.
    """
    if companion not in request.companions or companion in request.persons:
        return False
    allowed = True
    for finding in findings(request, facts, pack, now, place, companion):
        clock.bound(finding.until)
        allowed = allowed and finding.ok
    return allowed and not needs_escort(request, facts, pack, now, place, companion, clock)


def _escorted(case: RuleContext, clock: RuleClock) -> bool:
    """Whether an escort of a valid visit is present and allowed; *clock* receives the bounds."""
    names = sorted(escorts(case))
    clock.bound(case.clock.until)
    question = (case.request, case.facts, case.pack, case.now, case.resource)
    allowed = [is_allowed_companion(*question, name, clock) for name in names]  # all are checked: order cannot matter
    return any(allowed)
