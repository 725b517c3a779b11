"""``explain`` at a door: the verdict that a badge read would request.

Rules of this file: no one is at the door, so the answer lists its assumptions: the person shows their own badge with
the right PIN, and the named companions show theirs. Purpose and declaration are those stated beforehand; a purpose in
the query is added. Everything else is what the doors would know.
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
    """Return the verdict on entering *room*, the epoch, and the assumptions. *change* is applied to the person.

    Raises :class:`agent.errors.RefusedError` for a person who is unknown.
    """
    person, at, reader = request.args.text("person"), request.args.instant("at") or request.at, request.site.facts
    company = tuple(companion for companion in dict.fromkeys(request.args.texts("with")) if companion != person)
    with reader.snapshot():
        epoch, facts = known_persons(request, (person, *company), room)
        stated = reader.stated(person, room, at)
        inside = frozenset(member.person for member in reader.presence(room))
    alone = change(replace(facts, persons={person: facts.persons[person]}))
    people = {
        name: replace(member, badge=_badge(request, member, at))
        for name, member in {**facts.persons, **alone.persons}.items()
    }
    question = Request(
        (person,),
        room,
        Action.ENTER,
        companions=company,
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
        "with": list(company),
        "purpose": question.purpose or None,
        "declared": question.declared,
        "inside": sorted(inside),
    }
    return verdict, epoch, assumed


def _rests_on_statement(verdict: Verdict) -> bool:
    """Return whether the verdict rests on the stated purpose or declaration, and ends with them."""
    passed = takewhile(lambda finding: finding.ok, verdict.findings)
    return any(finding.rule in ("purpose", "declaration") for finding in passed)


def known_persons(request: HandlerRequest, persons: Iterable[str], resource: str) -> tuple[int, Facts]:
    """Return the epoch and the facts; raise :class:`agent.errors.RefusedError` for a person who is unknown."""
    epoch, facts = request.site.facts.facts(persons, resource)
    for person in persons:
        if person not in facts.persons:
            raise unknown(PERSON, person, "shoumi person list")
    return epoch, facts


def _badge(request: HandlerRequest, person: Person, at: datetime) -> str:
    """Return the first valid badge of *person* at *at*; ``""`` for none."""
    for row in request.site.lists.badges.find(person.id):
        until = maybe_moment(str(row["until"])) if row["until"] else None
        if row["number"] in person.badges and (until is None or at < until):
            return str(row["number"])
    return ""
