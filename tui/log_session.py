"""A reading of the log: lines by their position on the screen, fetched from the agent when they come into sight.

Rules of this file:
- the newest entry is the last line. Unfiltered, the lines are the numbers from 1 on without a gap, except the agent's
  own attempts, whose numbers it sends; a missing number is a line that says so, never one left out;
- filtered, the agent sends the matching numbers in batches, newest first. Older ones are inserted in front as they
  arrive; the caller learns by how many lines everything moved down;
- only lines near those on the screen are fetched, one call at a time, and a few thousand are cached.
"""

import sys
import time
from array import array
from base64 import b64decode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime

from textual.cache import LRUCache

from agent.api.timestamps import printed
from tui.agent import AgentSession, Json

MISSING = ""  # the line of a number that should exist and does not
_KEPT = 4096  # lines
_LONGEST = 512  # of one page
_ENOUGH = 50_000  # numbers of one answer


class LogPager:
    """The entries that match *wanted* (arguments of ``log.read``), newest first. Call :meth:`begin` first."""

    def __init__(self, agent: AgentSession, wanted: Mapping[str, Json]) -> None:
        self.wanted = dict(wanted)
        self.last = 0  # the newest number, matching or not
        self.complete = not wanted  # whether all matching numbers are fetched
        self._hidden_count = 0
        self._hidden: array[int] = array("q")  # numbers of the agent's own attempts, unfiltered only
        self._agent = agent
        self._name = ""
        self._numbers: array[int] | None = array("q") if wanted else None
        self._lines: LRUCache[int, str] = LRUCache(_KEPT)

    # Calls to the agent -----------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Begin the reading, which the log records. Raises :class:`agent.errors.ShoumiError`, as all below do."""
        answer = await self._agent.call("log.read", **self.wanted)
        self._name, self.last, self._hidden_count = answer["reading"], answer["last"], answer["hidden"]
        if self._numbers is None and self._hidden_count:
            await self._learn_hidden(0)

    async def older(self, seconds: float = 0.0) -> int:
        """Fetch older matching numbers for about *seconds*, at least one batch; nothing changes until they arrive.

        Returns by how many lines everything moved down, 0 when all are fetched.
        """
        if self.complete or self._numbers is None:
            return 0
        before, deadline = self._numbers[0] if self._numbers else None, time.monotonic() + seconds
        older_numbers: array[int] = array("q")
        more = True
        while more:
            chunk, more = await self._fetch_numbers(before=before)
            older_numbers = chunk + older_numbers
            before = older_numbers[0] if older_numbers else before
            if time.monotonic() >= deadline:
                break
        self._numbers = older_numbers + self._numbers
        self.complete = not more
        return len(older_numbers)

    async def newer(self, lines: int) -> int:
        """Fetch the numbers written since, and their last *lines* lines; return how many entries are new."""
        if self._numbers is None:
            answer = await self._page(first=self.last + 1, limit=max(1, lines))
            before, last = self.count, self.last
            if answer["last"] > last:
                await self._learn_hidden(last, answer["last"])
            self.last = answer["last"]
            return self.count - before
        added, _ = await self._fetch_numbers(after=self._numbers[-1] if self._numbers else self.last)
        self._numbers.extend(added)
        return len(added)

    async def fetch(self, lines: range) -> set[int]:
        """Fetch those of *lines* that are missing, at most a page; return which were fetched."""
        lacking = [index for index in lines if self.number(index) not in self._lines][:_LONGEST]
        if not lacking:
            return set()
        first, last = self.number(lacking[0]), self.number(lacking[-1])
        answer = await self._page(first=first, last=last, limit=len(range(lacking[0], lacking[-1] + 1)))
        for number in {self.number(index) for index in lacking} - {number for number, _ in answer["rows"]}:
            self._lines[number] = MISSING
        return set(lacking)

    async def before(self, moment: datetime) -> int:
        """Return the line of the first entry at or after *moment*; the number of lines when there is none."""
        matches, _ = await self._fetch_numbers(until=printed(moment), limit=1)
        return self.line_of(matches[0] + 1) if matches else 0

    async def batch(self, lines: range) -> list[str]:
        """Return the records of *lines* (at most a page) without caching them."""
        first, last = self.number(lines[0]), self.number(lines[-1])
        answer = await self._agent.call("log.page", reading=self._name, first=first, last=last, limit=len(lines))
        return [line for _, line in reversed(answer["rows"])]

    # Fetched lines ----------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """The number of lines."""
        return self.last - len(self._hidden) if self._numbers is None else len(self._numbers)

    @property
    def hidden(self) -> int:
        """The number of the agent's own attempts that are left out."""
        return len(self._hidden) if self._numbers is None else self._hidden_count

    def number(self, index: int) -> int:
        """Return the number of the entry on line *index*."""
        if self._numbers is not None:
            return self._numbers[index]
        passed = bisect_right(range(len(self._hidden)), index, key=lambda at: self._hidden[at] - 1 - at)
        return index + 1 + passed

    def line_of(self, number: int) -> int:
        """Return the line of entry *number*, or of the first one after it."""
        if self._numbers is None:
            wanted = max(1, min(number, self.last + 1))
            return wanted - 1 - bisect_left(self._hidden, wanted)
        return bisect_left(self._numbers, number)

    def line(self, index: int) -> str | None:
        """Return the record on line *index*: ``None`` until it is fetched, :data:`MISSING` when there is none."""
        return self._lines.get(self.number(index))

    def lacks(self, lines: range) -> bool:
        """Return whether one of *lines* is not fetched yet."""
        return any(self.number(index) not in self._lines for index in lines)

    # Inside -----------------------------------------------------------------------------------------------------------

    async def _page(self, **selection: Json) -> Json:
        answer = await self._agent.call("log.page", reading=self._name, **selection)
        for number, line in answer["rows"]:
            self._lines[number] = line
        return answer

    async def _learn_hidden(self, after: int, last: int | None = None) -> None:
        """Fetch the numbers after *after*, up to *last*, of the agent's own attempts."""
        hidden: array[int] = array("q")
        before, more = (self.last if last is None else last) + 1, True
        while more:
            chunk, more = await self._fetch_numbers(own=True, after=after, before=before)
            hidden = chunk + hidden
            before = hidden[0] if hidden else before
        self._hidden.extend(hidden)

    async def _fetch_numbers(self, **selection: Json) -> "tuple[array[int], bool]":
        """Return matching numbers, oldest first, and whether there are more."""
        answer = await self._agent.call("log.numbers", reading=self._name, **{"limit": _ENOUGH, **selection})
        numbers = array("q")
        numbers.frombytes(b64decode(answer["numbers"]))
        if sys.byteorder == "big":
            numbers.byteswap()
        numbers.reverse()
        return numbers, bool(answer["more"])


def batches(count: int, size: int = _LONGEST) -> Iterator[range]:
    """Yield the lines 0 … *count* in pages."""
    for first in range(0, count, size):
        yield range(first, min(first + size, count))
