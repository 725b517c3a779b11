"""Hypothetical facts for ``what-if``. Pure; nothing is written.

Rules of this file: an assumption is applied to frozen facts with ``replace`` and evaluated by the same ``decide``. It
is dated *now*, has no end (a temporary grant lasts a day), and has no approver (:data:`SUPPOSED`).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.api.operations.schema import Arguments
from agent.errors import UsageError
from rules.model import Clearance, Facts, Grant, Hold, Level, Person, Record
from rules.text import Message

SUPPOSED = "what-if"
_DAY = timedelta(days=1)  # a temporary grant must end


def clearances(args: Arguments, approved_by: str) -> tuple[Clearance, ...]:
    """Return the levels in ``--level`` and ``--domain``; raise :class:`UsageError` for a level without domain."""
    domain, parsed = args.text("domain"), []
    for named, level in args.levels("level"):
        if not (named or domain):
            raise UsageError(
                Message("control.level-needs-domain"),
                Message("control.add-domain"),
            )
        parsed.append(Clearance(named or domain, level, args.text("label"), approved_by))
    return tuple(parsed)


def supposing(facts: Facts, args: Arguments, now: datetime) -> Facts:
    """Return *facts* with the changes in *args* applied to the one person in them."""
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
    unchanged = tuple(clearance for clearance in person.clearances if clearance.domain not in domains)
    return replace(person, clearances=(*unchanged, *(cleared for cleared in new if cleared.level > Level.NONE)))


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
    unchanged = tuple(record for record in person.records if record.kind not in without)
    return replace(person, records=(*unchanged, *(Record(kind, now) for kind in args.texts("record"))))
