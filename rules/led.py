"""来访: does this person enter on a visit, because he may not enter otherwise?

Rules of this file: whoever has a visit that counts does, unless he is allowed without it (a visitor never is), so that
registering a visit takes nothing away, and ending one gives nothing.
"""

from dataclasses import replace
from datetime import datetime

from rules.checks.visits import on_visit
from rules.clock import Clock
from rules.evaluation import Case
from rules.model import Facts, Request, Resource
from rules.pack.model import Pack
from rules.person_rules import findings


def led(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, person: str, clock: Clock) -> bool:
    """Whether *person*, who is in *facts*, needs an escort; *clock* takes over the bounds."""
    known = facts.persons[person]
    case = Case(request, facts, pack, now, place, known)
    case.clock = clock
    if not on_visit(case):
        return False
    without = replace(facts, persons={person: replace(known, visits=())})
    found = list(findings(request, without, pack, now, place, person))
    for finding in found:
        clock.bound(finding.until)
    return not all(finding.ok for finding in found)
