"""The decision (contract C1): one pure function for files, doors, ``explain`` and ``what-if``.

Rules of this file: default deny. A request needs a registered subject, and every subject must be allowed. The first
denial in order decides; without one the verdict is allow. ``until`` is the least bound of the findings up to the one
that decided, so it bounds exactly what the verdict rests on. Nothing here raises.
"""

from collections.abc import Iterator
from datetime import datetime

from rules import person_rules
from rules.checks import question
from rules.checks.lockdown import lockdown
from rules.checks.marking import marking
from rules.checks.service import service
from rules.checks.together import first_in, limit
from rules.clock import RuleClock
from rules.companions import escort, two_person
from rules.fail_closed import fail_closed, failed
from rules.model import Action, Facts, Request, Resource, RuleResult, Verdict
from rules.pack.model import Pack
from rules.text import Message, Sentence

_OUT = question.leaving()
LEAVING = Verdict(True, _OUT.rule, (), _OUT.because, findings=(_OUT,))  # the verdict on every exit from a known room


def decide(request: Request, facts: Facts, pack: Pack, now: datetime) -> Verdict:
    """Return the verdict on *request* at *now*, an aware instant, from *facts* alone.

    Pure, total and deterministic: the same arguments give the same verdict; arguments of the wrong shape give a
    denial by the rule ``error``. The verdict holds for every ``t`` in ``[now, until)``; an ``until`` of *now* forbids
    caching it.
    """
    try:
        findings = tuple(_findings(request, facts, pack, _aware(now)))
        return _verdict(request, pack, now, findings)
    except Exception as error:  # noqa: BLE001 - arguments of the wrong shape deny; they do not stop the guard
        finding = failed("request", type(error).__name__, now)
        return Verdict(False, "error", (), finding.because, finding.change, now, "", (finding,))


def _aware(now: datetime) -> datetime:
    if now.utcoffset() is None:
        raise TypeError("`now` has no time zone")
    return now


def _findings(request: Request, facts: Facts, pack: Pack, now: datetime) -> Iterator[RuleResult]:
    place = facts.resources.get(request.resource)
    if place is None or place.id != request.resource:
        yield question.resource(request)
    elif place.room is not None and request.action == Action.EXIT:
        yield _OUT
    else:
        yield from (finding for finding in _applied(request, facts, pack, now, place) if finding)


def _applied(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> Iterator[RuleResult | None]:
    yield question.action(request, place)
    yield question.doubt(request)
    yield question.nobody(request)
    yield fail_closed("marking", now, lambda: marking(place, pack))
    yield fail_closed("lockdown", now, lambda: lockdown(place, facts, pack, now))
    if request.service:
        yield fail_closed("service", now, lambda: service(request, facts, place))
    for person in dict.fromkeys(request.persons):
        yield from person_rules.findings(request, facts, pack, now, place, person)
    if place.room is not None:
        yield fail_closed("first-in", now, lambda: first_in(request, place, pack))
        yield fail_closed("limit", now, lambda: limit(request, place, pack))
        yield fail_closed("escort", now, lambda: escort(request, facts, pack, now, place))
        yield fail_closed("two-person", now, lambda: two_person(request, facts, pack, now, place))


def _verdict(request: Request, pack: Pack, now: datetime, findings: tuple[RuleResult, ...]) -> Verdict:
    clock = RuleClock(now)
    for finding in findings:
        clock.bound(finding.until)
        if not finding.ok:
            return Verdict(
                False,
                finding.rule,
                finding.clauses,
                finding.because,
                finding.change,
                clock.until,
                finding.person,
                findings,
            )
    if findings == LEAVING.findings:
        return LEAVING
    because = _allowed(request)
    return Verdict(True, "allow", pack.clauses["allow"], because, None, clock.until, "", findings)


def _allowed(request: Request) -> Sentence:
    subjects = tuple(f"`{name}`" for name in dict.fromkeys((*request.persons, request.service)) if name)
    return Message("rules.every-rule-allows", resource=request.resource, subjects=subjects)
