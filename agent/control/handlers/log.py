"""Handlers: the log. Every query is recorded as an entry before it is answered (by the server).

Paging is the exception: ``log.read`` is recorded, and its pages belong to that session. The agent's own attempts are
left out unless requested, and their number is returned.
"""

import json
import sys
from array import array
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

from agent.control.dispatch import HandlerRequest, HandlerTable, Json
from agent.errors import RefusedError
from agent.log import search, segments, tail
from agent.log.verifier_supervisor import once
from rules.text import Message

handlers = HandlerTable()

_PAGE = 100
_LONGEST_PAGE = 512  # entries of one ``log.page``
_NUMBERS = 50_000  # of one ``log.numbers``: 0.4 MB, and some 100 ms for a text search in a million paths


@handlers.stream("log.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    args = request.args
    request.services.indexer.fresh()
    wanted = replace(
        _wanted(request),
        after_seq=args.number("after"),
        before_seq=args.number("before"),
        limit=args.number("limit", _PAGE) or _PAGE,
    )
    return _listed(request, wanted)


def _listed(request: HandlerRequest, wanted: search.Filter) -> Iterator[Json]:
    index, count, oldest = request.site.home.index, 0, 0
    for row in search.query(index, wanted):
        count, oldest = count + 1, row.seq
        yield row.entry
    if request.args.flag("hidden"):
        after = oldest - 1 if count == wanted.limit else wanted.after_seq
        yield {"hidden": _hidden(request, replace(wanted, after_seq=after))}


def _hidden(request: HandlerRequest, wanted: search.Filter) -> int:
    """Return the number of the agent's own attempts that *wanted* leaves out, up to :data:`_NUMBERS`."""
    if wanted.own is not False:
        return 0
    return len(search.numbers(request.site.home.index, replace(wanted, own=True, limit=_NUMBERS)))


@handlers.read("log.read")
def _read(request: HandlerRequest) -> Json:
    request.services.indexer.fresh()
    wanted = _wanted(request)
    return {
        "reading": request.services.log_sessions.begin(request.peer.uid, wanted, request.at),
        "last": search.last_seq(request.site.home.index),
        "hidden": _hidden(request, wanted),
    }


@handlers.read("log.page")
def _page(request: HandlerRequest) -> Json:
    args, index = request.args, request.site.home.index
    wanted = replace(
        request.services.log_sessions.of(args.text("reading"), request.peer.uid, request.at),
        after_seq=(args.number("first") or 1) - 1,
        before_seq=None if (last := args.number("last")) is None else last + 1,
        limit=min(args.number("limit", _PAGE) or _PAGE, _LONGEST_PAGE),
    )
    newest = search.last_seq(index)  # read before the rows: they may contain newer entries, never fewer
    rows = list(search.query(index, wanted))
    return {
        "rows": [[row.seq, row.line.decode("utf-8", "surrogateescape")] for row in rows],
        "last": max([newest, *(row.seq for row in rows[:1])]),
    }


@handlers.read("log.numbers")
def _numbers(request: HandlerRequest) -> Json:
    args = request.args
    reading = request.services.log_sessions.of(args.text("reading"), request.peer.uid, request.at)
    ends = [end for end in (reading.until, args.instant("until")) if end]
    wanted = replace(
        reading,
        own=True if args.flag("own") else reading.own,
        until=min(ends, default=None),
        after_seq=args.number("after"),
        before_seq=args.number("before"),
        limit=min(args.number("limit", _NUMBERS) or _NUMBERS, _NUMBERS),
    )
    seqs = array("q", search.numbers(request.site.home.index, wanted))
    if sys.byteorder == "big":
        seqs.byteswap()
    return {"numbers": b64encode(seqs.tobytes()).decode("ascii"), "more": len(seqs) == wanted.limit}


def _wanted(request: HandlerRequest) -> search.Filter:
    args = request.args
    return search.Filter(
        person=args.maybe("person"),
        area=args.maybe("area"),
        verdict=args.maybe("verdict"),
        kind=args.maybe("kind"),
        rule=args.maybe("rule"),
        own={"all": None, "yes": True}.get(args.text("own"), False),
        text=args.maybe("text"),
        since=args.instant("since"),
        until=args.instant("until"),
    )


@handlers.stream("log.follow")
def _follow(request: HandlerRequest) -> Iterator[Json]:
    after = request.args.number("after")
    if after is None:
        after = int(request.services.decider.stats()["next_seq"]) - 1
    return _growing(request, after + 1)


def _growing(request: HandlerRequest, seq: int) -> Iterator[Json]:
    while True:
        for line in tail.follow(request.site.home.log, seq, lambda _seconds: True):
            head = segments.head(line)
            if head:
                seq = head[0] + 1
                yield json.loads(line)
        yield None


@handlers.read("log.show")
def _show(request: HandlerRequest) -> Json:
    seq = request.args.number("seq") or 0
    request.services.indexer.fresh()
    row = search.find(request.site.home.index, seq)
    if row is None:
        raise RefusedError(
            Message("control.entry-not-found", seq=seq),
            Message("control.see-log-list"),
        )
    return {"seq": seq, "line": row.line.decode("utf-8", "surrogateescape")}


@handlers.read("log.verify")
def _verify(request: HandlerRequest) -> Json:
    last = int(request.services.decider.stats()["next_seq"]) - 1
    return once(request.site.home, last)
