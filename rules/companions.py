"""陪同 and 双人: who must stand beside whoever enters, and whether they may stand there.

Rules of this file:
- a companion is somebody else than whoever is behind the request, needs no escort himself, and passes every rule about
  a person. His own entry is decided by his own request, with his own purpose, declaration and PIN; here those of this
  request stand for both, so a door releases only when both verdicts allow;
- an escort is a companion whom the visit names. He is inside already or goes in at the same time;
- whoever has a visit that counts enters on it, unless he is allowed without it (a visitor never is), so that
  registering a visit takes nothing away, and ending one gives nothing.
"""

from dataclasses import replace
from datetime import datetime

from rules.checks.visits import escorts, on_visit
from rules.clock import RuleClock
from rules.evaluation import RuleContext
from rules.model import Facts, Request, Resource, RuleResult
from rules.pack.model import Pack
from rules.person_rules import findings
from rules.text import Text
from rules.visible import visible


def escort(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> RuleResult | None:
    """Everybody behind the request who needs one has an allowed escort beside him."""
    clock, clauses = RuleClock(now), pack.clauses.get("escort", ())
    known = {one: facts.persons[one] for one in dict.fromkeys(request.persons) if one in facts.persons}
    if not any(person.visits for person in known.values()):
        return None
    asked = (request, facts, pack, now, place)
    alone = [
        one
        for one, person in known.items()
        if needs_escort(*asked, one, clock) and not _escorted(RuleContext(*asked, person), clock)
    ]
    if not alone:
        because = Text("whoever needs an escort has one", "须陪同者均有陪同")
        return RuleResult("escort", True, because, clauses, until=clock.until)
    shown, what = visible(alone[0]), visible(place.id)
    return RuleResult(
        rule="escort",
        ok=False,
        because=Text(f"`{shown}` enters `{what}` under escort only", f"`{shown}` 须由陪同人带入 `{what}`"),
        clauses=clauses,
        change=Text("the escort named in the visit shows a badge", "由来访登记的陪同人刷卡"),
        until=clock.until,
        person=alone[0],
    )


def two_person(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> RuleResult | None:
    """A second allowed person enters with those behind the request, where room or pack ask for it."""
    rule = pack.two_person
    if place.room is None or not (place.room.two_person or (rule and place.level >= rule.from_level)):
        return None
    clock, clauses = RuleClock(now), pack.clauses.get("two-person", ())
    others = dict.fromkeys(request.companions)
    beside = [is_allowed_companion(request, facts, pack, now, place, other, clock) for other in others]
    if any(beside):  # all were asked, so that their order cannot matter
        because = Text("a second allowed person enters too", "有第二名获准人员同行")
        return RuleResult("two-person", True, because, clauses, until=clock.until)
    return RuleResult(
        rule="two-person",
        ok=False,
        because=Text(
            f"`{visible(place.id)}` is entered by two allowed persons", f"`{visible(place.id)}` 须两名获准人员同行"
        ),
        clauses=clauses,
        change=Text("a second allowed person shows a badge", "由第二名获准人员一并刷卡"),
        until=clock.until,
    )


def needs_escort(
    request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, person: str, clock: RuleClock
) -> bool:
    """Whether *person*, who is in *facts*, needs an escort; *clock* takes over the bounds."""
    known = facts.persons[person]
    case = RuleContext(request, facts, pack, now, place, known)
    case.clock = clock
    if not on_visit(case):
        return False
    without = replace(facts, persons={person: replace(known, visits=())})
    found = list(findings(request, without, pack, now, place, person))
    for finding in found:
        clock.bound(finding.until)
    return not all(finding.ok for finding in found)


def is_allowed_companion(
    request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, other: str, clock: RuleClock
) -> bool:
    """Whether *other* is a companion, somebody else, not led himself, and allowed; *clock* takes over the bounds."""
    if other not in request.companions or other in request.persons:
        return False
    allowed = True
    for finding in findings(request, facts, pack, now, place, other):
        clock.bound(finding.until)
        allowed = allowed and finding.ok
    return allowed and not needs_escort(request, facts, pack, now, place, other, clock)


def _escorted(case: RuleContext, clock: RuleClock) -> bool:
    """Whether an escort of a visit that counts is there, and is allowed; *clock* takes over the bounds."""
    names = sorted(escorts(case))
    clock.bound(case.clock.until)
    asked = (case.request, case.facts, case.pack, case.now, case.resource)
    beside = [is_allowed_companion(*asked, name, clock) for name in names]  # all are asked: their order cannot matter
    return any(beside)
