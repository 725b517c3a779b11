"""The lines of an unfiltered reading: every number but those of what the agent tried itself."""

import asyncio
from array import array
from base64 import b64encode
from collections.abc import Set as AbstractSet
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tui.log_session import LogPager


class Record:
    """An agent with a log of *last* entries, some of them its own attempts; at most *most* numbers an answer."""

    def __init__(self, last: int, own: AbstractSet[int], most: int = 3) -> None:
        self.last, self.own, self.most = last, set(own), most

    async def call(self, op: str, **args: Any) -> Any:
        shown = [number for number in range(1, self.last + 1) if number not in self.own]
        if op == "log.read":
            return {"reading": "r", "last": self.last, "hidden": self.last - len(shown)}
        if op == "log.page":
            low, high = args["first"], args.get("last", self.last)
            rows = [[number, str(number)] for number in reversed(shown) if low <= number <= high]
            return {"rows": rows[: args["limit"]], "last": self.last}
        assert op == "log.numbers"
        wanted = sorted(self.own) if args.get("own") else shown
        low, high = args.get("after", 0), args.get("before") or self.last + 1
        found = [number for number in reversed(wanted) if low < number < high]
        page = found[: self.most]
        return {"numbers": b64encode(array("q", page).tobytes()).decode(), "more": len(page) == self.most}


def lines(pager: LogPager) -> list[int]:
    return [pager.number(index) for index in range(pager.count)]


@examples(100)
@given(st.integers(0, 30), st.sets(st.integers(1, 40)), st.integers(0, 10))
def test_every_number_that_is_not_the_agents_own_has_its_line(last: int, own: set[int], more: int) -> None:
    async def walk() -> None:
        record = Record(last, {number for number in own if number <= last})
        pager = LogPager(record, {})  # type: ignore[arg-type]
        await pager.begin()
        assert lines(pager) == [number for number in range(1, last + 1) if number not in own]
        record.last, record.own = last + more, {number for number in own if number <= last + more}
        grown = await pager.newer(2)
        shown = [number for number in range(1, last + more + 1) if number not in own]
        assert lines(pager) == shown
        assert grown == len([number for number in shown if number > last])
        assert pager.hidden == last + more - len(shown)
        for number in range(1, last + more + 2):
            assert pager.line_of(number) == len([one for one in shown if one < number])
        if shown:
            await pager.fetch(range(len(shown)))
            assert [pager.line(index) for index in range(len(shown))] == [str(number) for number in shown]

    asyncio.run(walk())
