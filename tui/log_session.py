"""A reading of the log: lines by their place on the screen, fetched from the agent as they are looked at.

Rules of this file:
- the newest entry is the last line. Unfiltered, the lines are the numbers from 1 on without a gap, but for what the
  agent tried itself, whose numbers it tells; a number it does not have is a line that says so, never one left out;
- filtered, the agent sends the matching numbers, newest first and some at a time. Older ones are put in front as they
  come; whoever shows the lines is told by how many everything moved down;
- only lines near those on the screen are fetched, one call at a time, and a few thousand are kept.
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

MISSING = ""  # the line of a number that should be there and is not
_KEPT = 4096  # lines
_LONGEST = 512  # of one page
_ENOUGH = 50_000  # numbers of one answer


class LogPager:
    """What matches *wanted* (arguments of ``log.read``), from the newest on. :meth:`begin` first."""

    def __init__(self, agent: AgentSession, wanted: Mapping[str, Json]) -> None:
        self.wanted = dict(wanted)
        self.last = 0  # the newest number there is, matching or not
        self.complete = not wanted  # whether all matching numbers are here
        self._told_hidden = 0
        self._hidden: array[int] = array("q")  # numbers of what the agent tried itself, where nothing is filtered
        self._agent = agent
        self._name = ""
        self._numbers: array[int] | None = array("q") if wanted else None
        self._lines: LRUCache[int, str] = LRUCache(_KEPT)

    # Asking the agent -------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Begin to read: this is what the log records. Raises :class:`agent.errors.ShoumiError`, as all below do."""
        answer = await self._agent.call("log.read", **self.wanted)
        self._name, self.last, self._told_hidden = answer["reading"], answer["last"], answer["hidden"]
        if self._numbers is None and self._told_hidden:
            await self._learn_hidden(0)

    async def older(self, seconds: float = 0.0) -> int:
        """Fetch older matching numbers for about *seconds*, some of them at least; nothing changes until they are here.

        Returns by how many lines everything moved down, 0 when all are here.
        """
        if self.complete or self._numbers is None:
            return 0
        before, deadline = self._numbers[0] if self._numbers else None, time.monotonic() + seconds
        found: array[int] = array("q")
        more = True
        while more:
            chunk, more = await self._fetch_numbers(before=before)
            found = chunk + found
            before = found[0] if found else before
            if time.monotonic() >= deadline:
                break
        self._numbers = found + self._numbers
        self.complete = not more
        return len(found)

    async def newer(self, seen: int) -> int:
        """Take note of what was written since, and fetch its last *seen* lines; return how many entries came."""
        if self._numbers is None:
            answer = await self._page(first=self.last + 1, limit=max(1, seen))
            before, known = self.count, self.last
            if answer["last"] > known:
                await self._learn_hidden(known, answer["last"])
            self.last = answer["last"]
            return self.count - before
        found, _ = await self._fetch_numbers(after=self._numbers[-1] if self._numbers else self.last)
        self._numbers.extend(found)
        return len(found)

    async def fetch(self, lines: range) -> set[int]:
        """Fetch those of *lines* that are not here, at most a page of them; return which these were."""
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
        found, _ = await self._fetch_numbers(until=printed(moment), limit=1)
        return self.line_of(found[0] + 1) if found else 0

    async def batch(self, lines: range) -> list[str]:
        """Return the lines of *lines* (at most a page) without keeping them."""
        first, last = self.number(lines[0]), self.number(lines[-1])
        answer = await self._agent.call("log.page", reading=self._name, first=first, last=last, limit=len(lines))
        return [line for _, line in reversed(answer["rows"])]

    # What is here -----------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many lines there are now."""
        return self.last - len(self._hidden) if self._numbers is None else len(self._numbers)

    @property
    def hidden(self) -> int:
        """How many attempts of the agent's own are not among the lines."""
        return len(self._hidden) if self._numbers is None else self._told_hidden

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
        """Return the record on line *index*: ``None`` while it is not here, :data:`MISSING` when there is none."""
        return self._lines.get(self.number(index))

    def lacks(self, lines: range) -> bool:
        """Return whether one of *lines* is not here."""
        return any(self.number(index) not in self._lines for index in lines)

    # Inside -----------------------------------------------------------------------------------------------------------

    async def _page(self, **where: Json) -> Json:
        answer = await self._agent.call("log.page", reading=self._name, **where)
        for number, line in answer["rows"]:
            self._lines[number] = line
        return answer

    async def _learn_hidden(self, after: int, last: int | None = None) -> None:
        """Take note of the numbers behind *after*, up to *last*, of what the agent tried itself."""
        found: array[int] = array("q")
        before, more = (self.last if last is None else last) + 1, True
        while more:
            chunk, more = await self._fetch_numbers(own=True, after=after, before=before)
            found = chunk + found
            before = found[0] if found else before
        self._hidden.extend(found)

    async def _fetch_numbers(self, **where: Json) -> "tuple[array[int], bool]":
        """Return matching numbers, oldest first, and whether there are more."""
        answer = await self._agent.call("log.numbers", reading=self._name, **{"limit": _ENOUGH, **where})
        found = array("q")
        found.frombytes(b64decode(answer["numbers"]))
        if sys.byteorder == "big":
            found.byteswap()
        found.reverse()
        return found, bool(answer["more"])


def batches(count: int, size: int = _LONGEST) -> Iterator[range]:
    """Yield the lines 0 … *count* in pages."""
    for first in range(0, count, size):
        yield range(first, min(first + size, count))
