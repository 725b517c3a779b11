"""Handlers: the log. Every question here is itself an entry before it is answered (the server sees to it).

Turning pages is the exception: ``log.read`` is the entry, and its pages are those of that reading.
"""

import json
import sys
from array import array
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

from agent.control.dispatch import HandlerRequest, Json, read, stream
from agent.errors import RefusedError
from agent.log import search, segments, tail
from agent.log.verifier_supervisor import once
from rules.text import Text

_PAGE = 100
_LONGEST_PAGE = 512  # entries of one ``log.page``
_NUMBERS = 50_000  # of one ``log.numbers``: 0.4 MB, and some 100 ms when a text is looked for in a million paths


@stream("log.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    args = ask.args
    ask.desk.indexing.fresh()
    wanted = replace(
        _wanted(ask),
        after_seq=args.number("after"),
        before_seq=args.number("before"),
        limit=args.number("limit", _PAGE) or _PAGE,
    )
    return (row.entry for row in search.query(ask.desk.home.index, wanted))


@read("log.read")
def _read(ask: HandlerRequest) -> Json:
    ask.desk.indexing.fresh()
    return {
        "reading": ask.desk.readings.begin(ask.peer.uid, _wanted(ask), ask.at),
        "last": search.last_seq(ask.desk.home.index),
    }


@read("log.page")
def _page(ask: HandlerRequest) -> Json:
    args, index = ask.args, ask.desk.home.index
    wanted = replace(
        ask.desk.readings.of(args.text("reading"), ask.peer.uid, ask.at),
        after_seq=(args.number("first") or 1) - 1,
        before_seq=None if (last := args.number("last")) is None else last + 1,
        limit=min(args.number("limit", _PAGE) or _PAGE, _LONGEST_PAGE),
    )
    newest = search.last_seq(index)  # before the rows: what is newer than it may be among them, never the reverse
    rows = list(search.query(index, wanted))
    return {
        "rows": [[row.seq, row.line.decode("utf-8", "surrogateescape")] for row in rows],
        "last": max([newest, *(row.seq for row in rows[:1])]),
    }


@read("log.numbers")
def _numbers(ask: HandlerRequest) -> Json:
    args = ask.args
    reading = ask.desk.readings.of(args.text("reading"), ask.peer.uid, ask.at)
    ends = [end for end in (reading.until, args.instant("until")) if end]
    wanted = replace(
        reading,
        until=min(ends, default=None),
        after_seq=args.number("after"),
        before_seq=args.number("before"),
        limit=min(args.number("limit", _NUMBERS) or _NUMBERS, _NUMBERS),
    )
    found = array("q", search.numbers(ask.desk.home.index, wanted))
    if sys.byteorder == "big":
        found.byteswap()
    return {"numbers": b64encode(found.tobytes()).decode("ascii"), "more": len(found) == wanted.limit}


def _wanted(ask: HandlerRequest) -> search.Filter:
    args = ask.args
    return search.Filter(
        person=args.maybe("person"),
        area=args.maybe("area"),
        verdict=args.maybe("verdict"),
        kind=args.maybe("kind"),
        rule=args.maybe("rule"),
        text=args.maybe("text"),
        since=args.instant("since"),
        until=args.instant("until"),
    )


@stream("log.follow")
def _follow(ask: HandlerRequest) -> Iterator[Json]:
    after = ask.args.number("after")
    if after is None:
        after = int(ask.desk.decider.stats()["next_seq"]) - 1
    return _growing(ask, after + 1)


def _growing(ask: HandlerRequest, seq: int) -> Iterator[Json]:
    while True:
        for line in tail.follow(ask.desk.home.log, seq, lambda _seconds: True):
            head = segments.head(line)
            if head:
                seq = head[0] + 1
                yield json.loads(line)
        yield None


@read("log.show")
def _show(ask: HandlerRequest) -> Json:
    seq = ask.args.number("seq") or 0
    ask.desk.indexing.fresh()
    row = search.find(ask.desk.home.index, seq)
    if row is None:
        raise RefusedError(
            Text(f"there is no entry {seq}", f"没有序号为 {seq} 的条目"),
            Text("see `shoumi log list`", "参见 `shoumi log list`"),
        )
    return {"seq": seq, "line": row.line.decode("utf-8", "surrogateescape")}


@read("log.verify")
def _verify(ask: HandlerRequest) -> Json:
    last = int(ask.desk.decider.stats()["next_seq"]) - 1
    return once(ask.desk.home, last)
