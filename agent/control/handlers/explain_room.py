"""``explain`` at a door: the question a badge read would request, with what would be at hand there.

Rules of this file: nobody stands at the door, so the answer says what it assumed: the person's own badge is shown and
the PIN is right, the people named show theirs. Purpose and declaration are those stated beforehand; a purpose given
with the question stands beside them. Everything else is what the doors would know.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from agent.control.dispatch import HandlerRequest, Json
from agent.registry.columns import maybe_moment
from agent.registry.terms import PERSON
from agent.registry.validation import unknown
from rules.decide import decide
from rules.model import Action, Facts, Person, Request, Verdict


def entering(
    request: HandlerRequest, room: str, change: Callable[[Facts], Facts]
) -> tuple[Verdict, int, dict[str, Json]]:
    """Return the verdict on entering *room*, the epoch, and what was assumed. *change* is made to the person asked of.

    Raises :class:`agent.errors.RefusedError` for a person who is unknown.
    """
    person, at, reader = request.args.text("person"), request.args.instant("at") or request.at, request.site.facts
    others = tuple(other for other in dict.fromkeys(request.args.texts("with")) if other != person)
    with reader.snapshot():
        epoch, facts = known_persons(request, (person, *others), room)
        stated = reader.stated(person, room, at)
        inside = frozenset(one.person for one in reader.presence(room))
    alone = change(replace(facts, persons={person: facts.persons[person]}))
    people = {
        name: replace(one, badge=_badge(request, one, at)) for name, one in {**facts.persons, **alone.persons}.items()
    }
    question = Request(
        (person,),
        room,
        Action.ENTER,
        companions=others,
        purpose=request.args.text("purpose") or stated.purpose,
        declared=stated.declared,
        pin=True,
        inside=inside,
    )
    verdict = decide(question, replace(alone, persons=people), request.site.pack(), at)
    if stated.until and _rests_on_statement(verdict) and (verdict.until is None or stated.until < verdict.until):
        verdict = replace(verdict, until=stated.until)
    assumed = {
        "badge": people[person].badge or None,
        "pin": True,
        "with": list(others),
        "purpose": question.purpose or None,
        "declared": question.declared,
        "inside": sorted(inside),
    }
    return verdict, epoch, assumed


def _rests_on_statement(verdict: Verdict) -> bool:
    """Whether purpose or declaration were asked for before the verdict was clear: then it holds no longer than they."""
    asked = takewhile(lambda finding: finding.ok, verdict.findings)
    return any(finding.rule in ("purpose", "declaration") for finding in asked)


def known_persons(request: HandlerRequest, persons: Iterable[str], resource: str) -> tuple[int, Facts]:
    """Return the epoch and the facts; raise :class:`agent.errors.RefusedError` for a person who is unknown."""
    epoch, facts = request.site.facts.facts(persons, resource)
    for person in persons:
        if person not in facts.persons:
            raise unknown(PERSON, person, "shoumi person list")
    return epoch, facts


def _badge(request: HandlerRequest, person: Person, at: datetime) -> str:
    """Return a badge *person* could show at *at*, the first of several; ``""`` for none."""
    for row in request.site.lists.badges.find(person.id):
        until = maybe_moment(str(row["until"])) if row["until"] else None
        if row["number"] in person.badges and (until is None or at < until):
            return str(row["number"])
    return ""
