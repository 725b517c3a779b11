"""``what-if``: facts as they would be. Pure; nothing is written anywhere.

Rules of this file: a supposition is applied to frozen facts with ``replace`` and judged by the same ``decide``. What is
supposed is dated *now*, lasts without end (a temporary grant a day), and is approved by nobody (:data:`SUPPOSED`).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.api.operations.schema import Arguments
from agent.errors import UsageError
from rules.model import Clearance, Facts, Grant, Hold, Level, Person, Record
from rules.text import Text

SUPPOSED = "what-if"
_DAY = timedelta(days=1)  # a temporary grant must end


def clearances(args: Arguments, approved_by: str) -> tuple[Clearance, ...]:
    """Return the levels of ``--level`` and ``--domain``; raise :class:`UsageError` for one without its domain."""
    domain, found = args.text("domain"), []
    for named, level in args.levels("level"):
        if not (named or domain):
            raise UsageError(
                Text("a level holds in one domain, and none is given", "密级须指明秘密种类"),
                Text("add --domain state, or write state=secret", "请加 --domain state，或写成 state=secret"),
            )
        found.append(Clearance(named or domain, level, args.text("label"), approved_by))
    return tuple(found)


def supposing(facts: Facts, args: Arguments, now: datetime) -> Facts:
    """Return *facts* with the changes *args* names made to the one person in them."""
    [(name, person)] = facts.persons.items()
    [resource] = facts.resources
    person = _cleared(person, args)
    person = _assigned(person, args)
    person = _granted(person, resource, args, now)
    person = _recorded(person, args, now)
    if args.flag("lift_holds"):
        person = replace(person, holds=())
    if args.flag("hold"):
        person = replace(person, holds=(*person.holds, Hold(now, SUPPOSED)))
    return replace(facts, persons={name: person})


def _cleared(person: Person, args: Arguments) -> Person:
    new = clearances(args, SUPPOSED)
    domains = {clearance.domain for clearance in new}
    kept = tuple(clearance for clearance in person.clearances if clearance.domain not in domains)
    return replace(person, clearances=(*kept, *(one for one in new if one.level > Level.NONE)))


def _assigned(person: Person, args: Arguments) -> Person:
    if "department" in args:
        person = replace(person, department=args.text("department"))
    return replace(person, projects=person.projects | frozenset(args.texts("project")))


def _granted(person: Person, resource: str, args: Arguments, now: datetime) -> Person:
    if args.flag("end_grants"):
        person = replace(person, grants=())
    if args.flag("grant") or args.flag("temporary"):
        temporary = args.flag("temporary")
        until = now + _DAY if temporary else None
        grant = Grant(SUPPOSED, person.id, resource, SUPPOSED, SUPPOSED, now, until, temporary=temporary)
        person = replace(person, grants=(*person.grants, grant))
    return person


def _recorded(person: Person, args: Arguments, now: datetime) -> Person:
    without = frozenset(args.texts("no_record"))
    kept = tuple(record for record in person.records if record.kind not in without)
    return replace(person, records=(*kept, *(Record(kind, now) for kind in args.texts("record"))))
