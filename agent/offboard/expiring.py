"""What ends by itself, and the word given before it does.

    officers  14, 7 and 1 days ahead, and once when it has ended: temporary grants, records, cooling-off periods
    holders   7 days, 1 day and 10 minutes ahead: what they lose at a known instant (grants, records, the leave date)

Rules of this file: pure; what was said before is an argument and comes back longer. After a pause only the nearest
warning is given, not every one that was missed. A new end is a new matter: whoever was renewed is warned again.
Nothing is ended here: the verdict's own ``until`` does that, on time, with nobody awake. A hold never warns, and who
has no access any more is warned of nothing.
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
from rules.text import Text
from rules.visible import visible

OFFICERS = tuple(timedelta(days=days) for days in (14, 7, 1))
HOLDERS = (timedelta(days=7), timedelta(days=1), timedelta(minutes=10))
_ENDED = timedelta(0)
_REMEMBERED = timedelta(days=14)  # an end that is older is no news, also to an agent that remembers nothing


class Sort(StrEnum):
    """What ends."""

    GRANT = "grant"
    RECORD = "record"
    COOLING_OFF = "cooling-off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class UpcomingExpiry:
    """One thing of one person that ends at *until*. ``name`` tells it from others of its sort and person."""

    sort: Sort
    person: str
    name: str
    until: datetime
    what: Text


class GivenWarning(NamedTuple):
    """That a warning was given."""

    sort: Sort
    person: str
    name: str
    until: datetime
    lead: timedelta


class Due(NamedTuple):
    """One thing to say now. ``lead``: how long before the end this warning is given, 0 when it has ended."""

    ending: UpcomingExpiry
    lead: timedelta
    text: Text

    @property
    def warning(self) -> GivenWarning:
        """What is remembered of it."""
        return _said(self.ending, self.lead)


class Dues(NamedTuple):
    """What to say now, the nearest end first, and what to remember instead of what was remembered."""

    now: tuple[Due, ...]
    said: frozenset[GivenWarning]


def due(endings: Iterable[UpcomingExpiry], said: AbstractSet[GivenWarning], now: datetime) -> Dues:
    """Return what officers are to be told at *now*, given what was *said*; each warning is given once."""
    return _due(endings, said, now, (*OFFICERS, _ENDED), _words)


def due_to_holders(
    losses: Iterable[UpcomingExpiry], said: AbstractSet[GivenWarning], now: datetime, zone: tzinfo
) -> Dues:
    """Return what holders are to be told at *now*, with times of *zone*. What is over is no news to who has lost it."""
    ahead = [one for one in losses if one.until > now]
    return _due(ahead, said, now, HOLDERS, partial(_to_holder, zone=zone))


def _due(
    endings: Iterable[UpcomingExpiry],
    said: AbstractSet[GivenWarning],
    now: datetime,
    leads: Iterable[timedelta],
    words: Callable[[UpcomingExpiry, timedelta], Text],
) -> Dues:
    leads = tuple(leads)
    told: list[Due] = []
    remembered = {one for one in said if one.until > now - _REMEMBERED}
    for ending in sorted(endings, key=lambda one: (one.until, one.sort, one.person, one.name)):
        reached = [lead for lead in leads if now >= ending.until - lead]
        if not reached or ending.until <= now - _REMEMBERED:
            continue
        if _said(ending, reached[-1]) not in remembered:
            told.append(Due(ending, reached[-1], words(ending, reached[-1])))
        remembered.update(_said(ending, lead) for lead in reached)
    return Dues(tuple(told), frozenset(remembered))


def endings(person: Person, pack: Pack) -> Iterator[UpcomingExpiry]:
    """Yield what of *person* ends by itself: temporary grants, records that gate access, cooling-off periods."""
    for grant in person.grants:
        if grant.temporary and grant.until is not None:
            yield UpcomingExpiry(Sort.GRANT, person.id, grant.id, grant.until, _grant_text(grant))
    yield from _record_ends(person, pack)
    for departure in person.departures:
        if departure.cooling_off_until is not None and departure.stage is not DepartureStage.CLOSED:
            until = departure.cooling_off_until
            yield UpcomingExpiry(Sort.COOLING_OFF, person.id, "", until, Text("cooling-off period", "脱密期"))


def losses(person: Person, pack: Pack, now: datetime) -> Iterator[UpcomingExpiry]:
    """Yield what *person* loses at a known instant after *now*: grants, records that gate access, all at a leave date.

    Nothing of who has no access now: on hold, inactive, gone.
    """
    if why_ineligible(person, now):
        return
    for grant in person.grants:
        if grant.until is not None and grant.since <= now < grant.until:
            yield UpcomingExpiry(Sort.GRANT, person.id, grant.id, grant.until, _grant_text(grant))
    yield from (one for one in _record_ends(person, pack) if one.until > now)
    for departure in person.departures:
        leave = departure.effective_at
        if departure.stage is DepartureStage.APPROVED and leave is not None and leave > now:
            yield UpcomingExpiry(Sort.LEAVE, person.id, "", leave, Text("all access", "全部权限"))


def _record_ends(person: Person, pack: Pack) -> Iterator[UpcomingExpiry]:
    for name, kind in pack.records.items():
        for topic in kind.topics or (None,):
            if (until := _record_end(person, name, kind, topic)) is not None:
                yield UpcomingExpiry(
                    Sort.RECORD, person.id, f"{name}/{topic}" if topic else name, until, _record_text(kind, topic)
                )


def _grant_text(grant: Grant) -> Text:
    area, name = visible(grant.resource), visible(grant.id)
    if grant.temporary:
        return Text(f"temporary grant {name} for `{area}`", f"对 `{area}` 的临时授权 {name}")
    return Text(f"grant {name} for `{area}`", f"对 `{area}` 的授权 {name}")


def _record_end(person: Person, name: str, kind: RecordKind, topic: str | None) -> datetime | None:
    """Return when the latest record stops counting; ``None`` when it has no end or does not count already.

    The decision reads records the same way: :mod:`rules.checks.records`.
    """
    entries = [one for one in person.records if one.kind == name and topic in (None, one.topic)]
    latest = max((one.on for one in entries), default=None)
    newest = [one for one in entries if one.on == latest]
    if latest is None or not all(one.passed for one in newest):
        return None
    ends = [one.valid_until for one in newest if one.valid_until is not None]
    if kind.valid_days:
        ends.append(latest + timedelta(days=kind.valid_days))
    return min(ends, default=None)


def _record_text(kind: RecordKind, topic: str | None) -> Text:
    if topic is None:
        return kind.title
    return Text(f"{kind.title.en} ({visible(topic)})", f"{kind.title.zh}（{visible(topic)}）")


def _said(ending: UpcomingExpiry, lead: timedelta) -> GivenWarning:
    return GivenWarning(ending.sort, ending.person, ending.name, ending.until, lead)


def _to_holder(ending: UpcomingExpiry, lead: timedelta, zone: tzinfo) -> Text:
    when, within = ending.until.astimezone(zone).isoformat(" ", "minutes"), _within(lead)
    return Text(f"{ending.what.en} ends {within.en}: {when}", f"{ending.what.zh}将于{within.zh}结束：{when}")


def _within(lead: timedelta) -> Text:
    if lead < timedelta(days=1):
        minutes = lead // timedelta(minutes=1)
        return Text(f"within {minutes} minutes", f"{minutes} 分钟内")
    return Text(f"within {lead.days} days" if lead.days > 1 else "within a day", f"{lead.days} 日内")


def _words(ending: UpcomingExpiry, lead: timedelta) -> Text:
    who, when = visible(ending.person), f"{ending.until:%F %H:%M}Z"
    if lead == _ENDED:
        return Text(f"{ending.what.en} of `{who}` ended {when}", f"`{who}` 的{ending.what.zh}已于 {when} 结束")
    within = _within(lead)
    return Text(
        f"{ending.what.en} of `{who}` ends {within.en}: {when}",
        f"`{who}` 的{ending.what.zh}将于{within.zh}结束：{when}",
    )
