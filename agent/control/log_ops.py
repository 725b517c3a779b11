"""Handlers: the log. Every question here is itself an entry before it is answered (the server sees to it)."""

import json
from collections.abc import Iterator

from agent.control.handling import Ask, Json, read, stream
from agent.control.reports import of_log
from agent.errors import Refused
from agent.log import search, segments, tail
from agent.log.verify import verify
from rules.text import Text

_PAGE = 100


@stream("log.list")
def _list(ask: Ask) -> Iterator[Json]:
    args = ask.args
    ask.desk.indexing.fresh()
    wanted = search.Filter(
        person=args.maybe("person"),
        area=args.maybe("area"),
        verdict=args.maybe("verdict"),
        kind=args.maybe("kind"),
        text=args.maybe("text"),
        since=args.instant("since"),
        until=args.instant("until"),
        after_seq=args.number("after"),
        before_seq=args.number("before"),
        limit=args.number("limit", _PAGE) or _PAGE,
    )
    return (row.entry for row in search.query(ask.desk.home.index, wanted))


@stream("log.follow")
def _follow(ask: Ask) -> Iterator[Json]:
    after = ask.args.number("after")
    if after is None:
        after = int(ask.desk.decider.stats()["next_seq"]) - 1
    return _growing(ask, after + 1)


def _growing(ask: Ask, seq: int) -> Iterator[Json]:
    while True:
        for line in tail.follow(ask.desk.home.log, seq, lambda _seconds: True):
            head = segments.head(line)
            if head:
                seq = head[0] + 1
                yield json.loads(line)
        yield None


@read("log.show")
def _show(ask: Ask) -> Json:
    seq = ask.args.number("seq") or 0
    ask.desk.indexing.fresh()
    row = search.find(ask.desk.home.index, seq)
    if row is None:
        raise Refused(
            Text(f"there is no entry {seq}", f"没有序号为 {seq} 的条目"),
            Text("see `shoumi log list`", "参见 `shoumi log list`"),
        )
    return {"seq": seq, "line": row.line.decode("utf-8", "surrogateescape")}


@read("log.verify")
def _verify(ask: Ask) -> Json:
    last = int(ask.desk.decider.stats()["next_seq"]) - 1
    return of_log(verify(ask.desk.home.log, known_last=last))
