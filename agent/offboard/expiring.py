"""What ends by itself, and the word given before it does: 14, 7 and 1 days ahead, and once when it has ended.

Rules of this file: pure; what was said before is an argument and comes back longer. After a pause only the nearest
warning is given, not every one that was missed. A new end is a new matter: whoever was renewed is warned again.
Nothing is ended here: the verdict's own ``until`` does that, on time, with nobody awake.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.model import DepartureStage, Person
from rules.pack.model import Pack, RecordKind
from rules.text import Text
from rules.visible import visible

DAYS = (14, 7, 1)
_ENDED = 0
_REMEMBERED = timedelta(days=14)  # an end that is older is no news, also to an agent that remembers nothing


class Sort(StrEnum):
    """What ends."""

    GRANT = "grant"
    RECORD = "record"
    COOLING_OFF = "cooling-off"


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
    days: int


class Due(NamedTuple):
    """One thing to say now. ``days`` is the warning it is, 0 when it has ended."""

    ending: UpcomingExpiry
    days: int
    text: Text


class Dues(NamedTuple):
    """What to say now, the nearest end first, and what to remember instead of what was remembered."""

    now: tuple[Due, ...]
    said: frozenset[GivenWarning]


def due(endings: Iterable[UpcomingExpiry], said: AbstractSet[GivenWarning], now: datetime) -> Dues:
    """Return what is to be said at *now*, given what was *said*; each warning is given once."""
    told: list[Due] = []
    remembered = {one for one in said if one.until > now - _REMEMBERED}
    for ending in sorted(endings, key=lambda one: (one.until, one.sort, one.person, one.name)):
        reached = [days for days in (*DAYS, _ENDED) if now >= ending.until - timedelta(days=days)]
        if not reached or ending.until <= now - _REMEMBERED:
            continue
        if _said(ending, reached[-1]) not in remembered:
            told.append(Due(ending, reached[-1], _words(ending, reached[-1])))
        remembered.update(_said(ending, days) for days in reached)
    return Dues(tuple(told), frozenset(remembered))


def endings(person: Person, pack: Pack) -> Iterator[UpcomingExpiry]:
    """Yield what of *person* ends by itself: temporary grants, records that gate access, cooling-off periods."""
    for grant in person.grants:
        if grant.temporary and grant.until is not None:
            area = visible(grant.resource)
            what = Text(
                f"temporary grant {visible(grant.id)} for `{area}`", f"对 `{area}` 的临时授权 {visible(grant.id)}"
            )
            yield UpcomingExpiry(Sort.GRANT, person.id, grant.id, grant.until, what)
    for name, kind in pack.records.items():
        for topic in kind.topics or (None,):
            if (until := _record_end(person, name, kind, topic)) is not None:
                yield UpcomingExpiry(
                    Sort.RECORD, person.id, f"{name}/{topic}" if topic else name, until, _record_text(kind, topic)
                )
    for departure in person.departures:
        if departure.cooling_off_until is not None and departure.stage is not DepartureStage.CLOSED:
            until = departure.cooling_off_until
            yield UpcomingExpiry(Sort.COOLING_OFF, person.id, "", until, Text("cooling-off period", "脱密期"))


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


def _said(ending: UpcomingExpiry, days: int) -> GivenWarning:
    return GivenWarning(ending.sort, ending.person, ending.name, ending.until, days)


def _words(ending: UpcomingExpiry, days: int) -> Text:
    who, when = visible(ending.person), f"{ending.until:%F %H:%M}Z"
    if days == _ENDED:
        return Text(f"{ending.what.en} of `{who}` ended {when}", f"`{who}` 的{ending.what.zh}已于 {when} 结束")
    within = Text(f"within {days} days" if days > 1 else "within a day", f"{days} 日内")
    return Text(
        f"{ending.what.en} of `{who}` ends {within.en}: {when}",
        f"`{who}` 的{ending.what.zh}将于{within.zh}结束：{when}",
    )
