"""Handlers: what the log knows of a room: who was inside during some time, and what they opened meanwhile.

Rules of this file: everything said comes from entries, with their numbers, so that it can be checked against the
record. What the log cannot know is said with every answer, and so is how far back it was read.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from agent.api.timestamps import instant, printed
from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.control.handlers.rooms import known
from agent.errors import UsageError
from agent.log.room_stays import LIMITS, Stay, stays
from agent.log.search import Filter, query
from rules.text import Text

handlers = HandlerTable()

_BACK = timedelta(days=7)  # how long before the time asked about somebody may have come in
_SETTLES = timedelta(minutes=1)  # what came of a release is known by then
_MOST = 10_000  # entries read of one question; beyond that, the answer says so


@handlers.stream("log.room")
def _room(request: HandlerRequest) -> Iterator[Json]:
    room = known(request, request.args.text("room")).resource.id
    since, until = during(request.args.text("during"))
    site, services = request.site, request.services
    services.indexer.fresh()
    return meanwhile(site.home.index, room, since, min(until, request.at))


def meanwhile(index: Path, room: str, since: datetime, until: datetime) -> Iterator[Json]:
    """Yield the stays in *room* between the two instants, the accesses of those people meanwhile, and the limits."""
    cut: list[str] = []
    entries: list[dict[str, Any]] = []
    for kind, wanted in (
        ("door", Filter(kind="door", area=room, since=since - _BACK, until=until, limit=_MOST)),
        ("released", Filter(kind="door-released", area=room, since=since - _BACK, until=until + _SETTLES, limit=_MOST)),
        ("act", Filter(kind="act", since=since - _BACK, until=until, limit=_MOST)),
    ):
        found = [row.entry for row in query(index, wanted)]
        if len(found) == _MOST:
            cut.append(kind)
        entries += found
    told = [stay for stay in stays(sorted(entries, key=_seq), room) if stay.meets(since, until)]
    for stay in told:
        yield _stay(stay)
    for person in dict.fromkeys(stay.person for stay in told):
        found = [
            row.entry
            for row in query(index, Filter(kind="access", person=person, since=since, until=until, limit=_MOST))
        ]
        if len(found) == _MOST:
            cut.append(person)
        yield from _accesses(person, found, [stay for stay in told if stay.person == person])
    yield from ({"what": "limit", "text": text.to_json()} for text in _limits(since, cut))


def during(word: str) -> tuple[datetime, datetime]:
    """Read ``FROM..TO``: dates or times of the host's clock, a date at the end included; raise :class:`UsageError`."""
    first, _, last = word.partition("..")
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


def _accesses(person: str, entries: Iterable[dict[str, Any]], told: list[Stay]) -> Iterator[dict[str, Json]]:
    """Yield one row for every file and verdict: how often, and how often of that while the person was inside."""
    rows = sorted(entries, key=lambda entry: (*_what(entry), _seq(entry)))
    for (area, path, verdict), group in groupby(rows, key=_what):
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
            "while_inside": sum(any(stay.covers(time) for stay in told) for time in times),
            "first": printed(times[0]),
            "last": printed(times[-1]),
            "seq": _seq(of_one[0]),
        }


def _limits(since: datetime, cut: list[str]) -> Iterator[Text]:
    yield from LIMITS
    back = printed(since - _BACK)
    yield Text(f"who came in before {back} and has not left since is not listed", f"早于 {back} 进入且未离开者未列出")
    if cut:
        yield Text(
            f"only the newest {_MOST} entries of a kind were read: ask for a shorter time",
            f"每类仅读取最新 {_MOST} 条：请缩短时段",
        )


def _what(entry: dict[str, Any]) -> tuple[str, str, str]:
    return str(entry.get("area") or ""), str(entry.get("path") or ""), str(entry.get("verdict") or "")


def _seq(entry: Mapping[str, Any]) -> int:
    return int(entry["seq"])


def _not_a_time() -> UsageError:
    return UsageError(
        Text("`during` must be FROM..TO, two times in order", "`during` 应为“起..止”，且起在止前"),
        Text("write 2026-10-01T08:00..2026-10-01T18:00", "可写作 2026-10-01T08:00..2026-10-01T18:00"),
    )
