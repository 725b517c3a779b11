"""Expiring rights, and the warnings given before they end.

    officers  14, 7 and 1 days ahead, and once after the end: temporary grants, records, cooling-off periods
    holders   7 days, 1 day and 10 minutes ahead: losses at a known instant (grants, records, the leave date)

Rules of this file: pure; the warnings already given are an argument, and the result contains them and the new ones.
After a pause only the nearest warning is given, not every missed one. A new end is a new matter: after a renewal the
warnings start again. Nothing is ended here: the verdict's own ``until`` does that, on time, with no process awake. A
hold never warns, and a person without access is not warned.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from rules.eligibility import why_ineligible
from rules.model import DepartureStage, Grant, Person
from rules.pack.model import Pack, RecordKind
from rules.text import Message, Sentence
from rules.visible import visible

OFFICERS = tuple(timedelta(days=days) for days in (14, 7, 1))
HOLDERS = (timedelta(days=7), timedelta(days=1), timedelta(minutes=10))
_ENDED = timedelta(0)
_REMEMBERED = timedelta(days=14)  # an end that is older is no news, also to an agent that remembers nothing


class Sort(StrEnum):
    """The kinds of rights that end."""

    GRANT = "grant"
    RECORD = "record"
    COOLING_OFF = "cooling-off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class UpcomingExpiry:
    """A right of one person that ends at *until*. ``name`` distinguishes it from others of its sort and person."""

    sort: Sort
    person: str
    name: str
    until: datetime
    title: Sentence


class GivenWarning(NamedTuple):
    """A warning that was given."""

    sort: Sort
    person: str
    name: str
    until: datetime
    lead: timedelta


class Due(NamedTuple):
    """A warning to give now. ``lead``: how long before the end it is given, 0 after the end."""

    ending: UpcomingExpiry
    lead: timedelta
    text: Sentence

    @property
    def warning(self) -> GivenWarning:
        """The record of this warning."""
        return _warning_of(self.ending, self.lead)


class Dues(NamedTuple):
    """The warnings to give now, the nearest end first, and the new set of given warnings."""

    now: tuple[Due, ...]
    said: frozenset[GivenWarning]


def due(endings: Iterable[UpcomingExpiry], given_warnings: AbstractSet[GivenWarning], now: datetime) -> Dues:
    """Return the warnings for officers at *now*; each one that is in *given_warnings* is not repeated."""
    return _due(endings, given_warnings, now, (*OFFICERS, _ENDED), _to_officer)


def due_to_holders(
    losses: Iterable[UpcomingExpiry], given_warnings: AbstractSet[GivenWarning], now: datetime, zone: tzinfo
) -> Dues:
    """Return the warnings for holders at *now*, with times of *zone*; none after the end."""
    ahead = [loss for loss in losses if loss.until > now]
    return _due(ahead, given_warnings, now, HOLDERS, partial(_to_holder, zone=zone))


def _due(
    endings: Iterable[UpcomingExpiry],
    given_warnings: AbstractSet[GivenWarning],
    now: datetime,
    leads: Iterable[timedelta],
    sentence_for: Callable[[UpcomingExpiry, timedelta], Sentence],
) -> Dues:
    leads = tuple(leads)
    dues: list[Due] = []
    remembered = {warning for warning in given_warnings if warning.until > now - _REMEMBERED}
    for ending in sorted(endings, key=lambda ending: (ending.until, ending.sort, ending.person, ending.name)):
        reached = [lead for lead in leads if now >= ending.until - lead]
        if not reached or ending.until <= now - _REMEMBERED:
            continue
        if _warning_of(ending, reached[-1]) not in remembered:
            dues.append(Due(ending, reached[-1], sentence_for(ending, reached[-1])))
        remembered.update(_warning_of(ending, lead) for lead in reached)
    return Dues(tuple(dues), frozenset(remembered))


def endings(person: Person, pack: Pack) -> Iterator[UpcomingExpiry]:
    """Yield the rights of *person* that end: temporary grants, records that gate access, cooling-off periods."""
    for grant in person.grants:
        if grant.temporary and grant.until is not None:
            yield UpcomingExpiry(Sort.GRANT, person.id, grant.id, grant.until, _grant_text(grant))
    yield from _record_ends(person, pack)
    for departure in person.departures:
        if departure.cooling_off_until is not None and departure.stage is not DepartureStage.CLOSED:
            until = departure.cooling_off_until
            yield UpcomingExpiry(Sort.COOLING_OFF, person.id, "", until, Message("offboard.cooling-off-period"))


def losses(person: Person, pack: Pack, now: datetime) -> Iterator[UpcomingExpiry]:
    """Yield what *person* loses at a known instant after *now*: grants, records that gate access, all at a leave date.

    Nothing for a person without access now: on hold, inactive, left.
    """
    if why_ineligible(person, now):
        return
    for grant in person.grants:
        if grant.until is not None and grant.since <= now < grant.until:
            yield UpcomingExpiry(Sort.GRANT, person.id, grant.id, grant.until, _grant_text(grant))
    yield from (ending for ending in _record_ends(person, pack) if ending.until > now)
    for departure in person.departures:
        leave = departure.effective_at
        if departure.stage is DepartureStage.APPROVED and leave is not None and leave > now:
            yield UpcomingExpiry(Sort.LEAVE, person.id, "", leave, Message("offboard.all-access"))


def _record_ends(person: Person, pack: Pack) -> Iterator[UpcomingExpiry]:
    for name, kind in pack.records.items():
        for topic in kind.topics or (None,):
            if (until := _record_end(person, name, kind, topic)) is not None:
                yield UpcomingExpiry(
                    Sort.RECORD, person.id, f"{name}/{topic}" if topic else name, until, _record_text(kind, topic)
                )


def _grant_text(grant: Grant) -> Sentence:
    resource, name = visible(grant.resource), visible(grant.id)
    if grant.temporary:
        return Message("offboard.temporary-grant", name=name, resource=resource)
    return Message("offboard.grant", name=name, resource=resource)


def _record_end(person: Person, name: str, kind: RecordKind, topic: str | None) -> datetime | None:
    """Return when the latest record stops counting; ``None`` when it has no end or does not count already.

    The decision reads records the same way: :mod:`rules.checks.records`.
    """
    entries = [record for record in person.records if record.kind == name and topic in (None, record.topic)]
    latest = max((record.on for record in entries), default=None)
    newest = [record for record in entries if record.on == latest]
    if latest is None or not all(record.passed for record in newest):
        return None
    ends = [record.valid_until for record in newest if record.valid_until is not None]
    if kind.valid_days:
        ends.append(latest + timedelta(days=kind.valid_days))
    return min(ends, default=None)


def _record_text(kind: RecordKind, topic: str | None) -> Sentence:
    if topic is None:
        return kind.title
    return Message("common.with-note", text=kind.title, more=topic)


def _warning_of(ending: UpcomingExpiry, lead: timedelta) -> GivenWarning:
    return GivenWarning(ending.sort, ending.person, ending.name, ending.until, lead)


def _to_holder(ending: UpcomingExpiry, lead: timedelta, zone: tzinfo) -> Sentence:
    when, within = ending.until.astimezone(zone).isoformat(" ", "minutes"), _within(lead)
    return Message("offboard.own-right-ends", title=ending.title, within=within, time=when)


def _within(lead: timedelta) -> Sentence:
    if lead < timedelta(days=1):
        return Message("offboard.within-minutes", count=lead // timedelta(minutes=1))
    return Message("offboard.within-days", count=lead.days)


def _to_officer(ending: UpcomingExpiry, lead: timedelta) -> Sentence:
    person, when = visible(ending.person), f"{ending.until:%F %H:%M}Z"
    if lead == _ENDED:
        return Message("offboard.right-ended", title=ending.title, person=person, time=when)
    within = _within(lead)
    return Message("offboard.right-ends", title=ending.title, person=person, within=within, time=when)
