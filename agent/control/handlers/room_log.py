"""Handlers: stays in a room during a period, and the files opened meanwhile, from the log.

Rules of this file: every row comes from entries and carries their numbers, so that it can be verified. Every answer
lists the limits of the log and how far back it was read.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from agent.api.timestamps import instant, printed
from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.handlers.rooms import room_row
from agent.errors import UsageError
from agent.log.room_stays import LIMITS, Stay, stays
from agent.log.search import Filter, query
from rules.text import Message, Sentence

handlers = HandlerTable()

_BACK = timedelta(days=7)  # entries of people up to this long before the period are read
_SETTLES = timedelta(minutes=1)  # the outcome of a release is recorded by then
_MOST = 10_000  # entries read for one query; a limit row reports more


@handlers.stream("log.room")
def _room(request: HandlerRequest) -> Iterator[Json]:
    room = room_row(request, request.args.text("room")).resource.id
    since, until = during(request.args.text("during"))
    site, services = request.site, request.services
    services.indexer.fresh()
    return meanwhile(site.home.index, room, since, min(until, request.at))


def meanwhile(index: Path, room: str, since: datetime, until: datetime) -> Iterator[Json]:
    """Yield the stays in *room* between the two instants, the accesses of these people, and the limits."""
    cut: list[str] = []
    entries: list[dict[str, Any]] = []
    for kind, wanted in (
        ("door", Filter(kind="door", area=room, since=since - _BACK, until=until, limit=_MOST)),
        ("released", Filter(kind="door-released", area=room, since=since - _BACK, until=until + _SETTLES, limit=_MOST)),
        ("act", Filter(kind="act", since=since - _BACK, until=until, limit=_MOST)),
    ):
        page = [row.entry for row in query(index, wanted)]
        if len(page) == _MOST:
            cut.append(kind)
        entries += page
    matching = [stay for stay in stays(sorted(entries, key=_seq), room) if stay.meets(since, until)]
    for stay in matching:
        yield _stay(stay)
    for person in dict.fromkeys(stay.person for stay in matching):
        page = [
            row.entry
            for row in query(index, Filter(kind="access", person=person, since=since, until=until, limit=_MOST))
        ]
        if len(page) == _MOST:
            cut.append(person)
        yield from _accesses(person, page, [stay for stay in matching if stay.person == person])
    yield from ({"what": "limit", "text": text.to_json()} for text in _limits(since, cut))


def during(period: str) -> tuple[datetime, datetime]:
    """Read ``FROM..TO``: dates or times of the host's clock, a date at the end included; raise :class:`UsageError`."""
    first, _, last = period.partition("..")
    try:
        since, until = instant(first, None), instant(last, None, end=True)
    except ValueError:
        raise _not_a_time() from None
    if until <= since:
        raise _not_a_time()
    return since, until


def _stay(stay: Stay) -> dict[str, Json]:
    return {
        "what": "stay",
        "person": stay.person,
        "since": printed(stay.since),
        "until": printed(stay.until) if stay.until else None,
        "door": stay.door,
        "sure": stay.sure,
        "seq": stay.seq,
        "seq_out": stay.seq_out,
    }


def _accesses(person: str, entries: Iterable[dict[str, Any]], person_stays: list[Stay]) -> Iterator[dict[str, Json]]:
    """Yield one row per file and verdict: the number of accesses, and how many while the person was inside."""
    rows = sorted(entries, key=lambda entry: (*_access_key(entry), _seq(entry)))
    for (area, path, verdict), group in groupby(rows, key=_access_key):
        of_one = list(group)
        times = [datetime.fromisoformat(str(entry["time"])) for entry in of_one]
        yield {
            "what": "access",
            "person": person,
            "area": area,
            "path": path,
            "level": of_one[-1].get("level"),
            "verdict": verdict,
            "times": len(of_one),
            "while_inside": sum(any(stay.covers(time) for stay in person_stays) for time in times),
            "first": printed(times[0]),
            "last": printed(times[-1]),
            "seq": _seq(of_one[0]),
        }


def _limits(since: datetime, cut: list[str]) -> Iterator[Sentence]:
    yield from LIMITS
    back = printed(since - _BACK)
    yield Message("control.earlier-entries-unlisted", since=back)
    if cut:
        yield Message("control.entries-truncated", limit=_MOST)


def _access_key(entry: dict[str, Any]) -> tuple[str, str, str]:
    return str(entry.get("area") or ""), str(entry.get("path") or ""), str(entry.get("verdict") or "")


def _seq(entry: Mapping[str, Any]) -> int:
    return int(entry["seq"])


def _not_a_time() -> UsageError:
    return UsageError(
        Message("control.period-invalid"),
        Message("control.period-format"),
    )
