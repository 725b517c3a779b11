"""The decision (contract C1): one pure function for files, doors, ``explain`` and ``what-if``.

Rules of this file: default deny. Somebody known must be behind the request, and everybody behind it must be allowed.
The first denial in order decides; an allow is that there is none. ``until`` is the least of the bounds of the findings
up to the one that decided, so it bounds exactly what the verdict rests on. Nothing here raises.
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
from rules.fail_closed import asked, failed
from rules.model import Action, Facts, Request, Resource, RuleResult, Verdict
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible

_OUT = question.leaving()
LEAVING = Verdict(True, _OUT.rule, (), _OUT.because, findings=(_OUT,))  # the verdict on every way out of a known room


def decide(request: Request, facts: Facts, pack: Pack, now: datetime) -> Verdict:
    """Return the verdict on *request* at *now*, an aware instant, knowing *facts* and nothing else.

    Pure, total and deterministic: the same arguments give the same verdict, and arguments of the wrong shape a denial
    by the rule ``error``. The verdict holds for every ``t`` in ``[now, until)``; an ``until`` of *now* says that it
    must not be kept.
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
        yield from (found for found in _asked(request, facts, pack, now, place) if found)


def _asked(request: Request, facts: Facts, pack: Pack, now: datetime, place: Resource) -> Iterator[RuleResult | None]:
    yield question.action(request, place)
    yield question.doubt(request)
    yield question.nobody(request)
    yield asked("marking", now, lambda: marking(place, pack))
    yield asked("lockdown", now, lambda: lockdown(place, facts, pack, now))
    if request.service:
        yield asked("service", now, lambda: service(request, facts, place))
    for one in dict.fromkeys(request.persons):
        yield from person_rules.findings(request, facts, pack, now, place, one)
    if place.room is not None:
        yield asked("first-in", now, lambda: first_in(request, place, pack))
        yield asked("limit", now, lambda: limit(request, place, pack))
        yield asked("escort", now, lambda: escort(request, facts, pack, now, place))
        yield asked("two-person", now, lambda: two_person(request, facts, pack, now, place))


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


def _allowed(request: Request) -> Text:
    behind = ", ".join(f"`{visible(one)}`" for one in dict.fromkeys((*request.persons, request.service)) if one)
    what = f"`{visible(request.resource)}`"
    return Text(f"every rule allows {what} to {behind}", f"各项规则均允许 {behind} 访问 {what}")
