"""陪同: whoever enters on a visit is led in by the escort it names, and the escort must himself be allowed in.

Rules of this file: an escort is a companion who passes every rule about a person, and is not led himself. He is inside
already or goes in at the same time; his own entry is decided by his own request.
"""

from datetime import datetime

from rules.checks.visits import escorts
from rules.clock import Clock
from rules.evaluation import Case
from rules.led import led
from rules.model import Facts, Finding, Request, Resource
from rules.pack.model import Pack
from rules.pair import stands_beside
from rules.text import Text
from rules.visible import visible


def escort(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> Finding | None:
    """Everybody behind the request who needs one has an allowed escort beside him."""
    clock, clauses = Clock(now), pack.clauses.get("escort", ())
    known = {one: facts.persons[one] for one in dict.fromkeys(request.persons) if one in facts.persons}
    if not any(person.visits for person in known.values()):
        return None
    asked = (request, facts, pack, now, place)
    alone = [
        one for one, person in known.items() if led(*asked, one, clock) and not _escorted(Case(*asked, person), clock)
    ]
    if not alone:
        because = Text("whoever needs an escort has one", "须陪同者均有陪同")
        return Finding("escort", True, because, clauses, until=clock.until)
    shown, what = visible(alone[0]), visible(place.id)
    return Finding(
        rule="escort",
        ok=False,
        because=Text(f"`{shown}` enters `{what}` under escort only", f"`{shown}` 须由陪同人带入 `{what}`"),
        clauses=clauses,
        change=Text("the escort named in the visit shows a badge", "由来访登记的陪同人刷卡"),
        until=clock.until,
        person=alone[0],
    )


def _escorted(case: Case, clock: Clock) -> bool:
    """Whether an escort of a visit that counts is there, and is allowed; *clock* takes over the bounds."""
    names = sorted(escorts(case))
    clock.bound(case.clock.until)
    asked = (case.request, case.facts, case.pack, case.now, case.resource)
    beside = [stands_beside(*asked, name, clock) for name in names]  # all are asked: their order cannot matter
    return any(beside)
