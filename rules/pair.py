"""双人: some rooms are entered by two, and both must be allowed.

Rules of this file: a companion is somebody else than whoever is behind the request, is not led himself, and passes
every rule about a person. His own entry is decided by his own request, with his own purpose, declaration and PIN; here
those of this request stand for both, so a door releases only when both verdicts allow.
"""

from datetime import datetime

from rules.clock import Clock
from rules.led import led
from rules.model import Facts, Finding, Request, Resource
from rules.pack.model import Pack
from rules.person_rules import findings
from rules.text import Text
from rules.visible import visible


def two_person(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> Finding | None:
    """A second allowed person enters with those behind the request, where room or pack ask for it."""
    rule = pack.two_person
    if place.room is None or not (place.room.two_person or (rule and place.level >= rule.from_level)):
        return None
    clock, clauses = Clock(now), pack.clauses.get("two-person", ())
    others = dict.fromkeys(request.companions)
    beside = [stands_beside(request, facts, pack, now, place, other, clock) for other in others]
    if any(beside):  # all were asked, so that their order cannot matter
        because = Text("a second allowed person enters too", "有第二名获准人员同行")
        return Finding("two-person", True, because, clauses, until=clock.until)
    return Finding(
        rule="two-person",
        ok=False,
        because=Text(
            f"`{visible(place.id)}` is entered by two allowed persons", f"`{visible(place.id)}` 须两名获准人员同行"
        ),
        clauses=clauses,
        change=Text("a second allowed person shows a badge", "由第二名获准人员一并刷卡"),
        until=clock.until,
    )


def stands_beside(
    request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource, other: str, clock: Clock
) -> bool:
    """Whether *other* is a companion, somebody else, not led himself, and allowed; *clock* takes over the bounds."""
    if other not in request.companions or other in request.persons:
        return False
    allowed = True
    for finding in findings(request, facts, pack, now, place, other):
        clock.bound(finding.until)
        allowed = allowed and finding.ok
    return allowed and not led(request, facts, pack, now, place, other, clock)
