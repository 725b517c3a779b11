"""The cards of one board: what they should be, and the proof that they are.

Rules of this file:
- a card is stored with no right at any door and an end date, or it is gone; there is no third wish;
- an answer to a change proves nothing: only reading the card back does. What is not proven is pending, said so at once
  and tried again, ever more slowly and at once when the board comes back, until it is proven or no longer wished;
- what should be gone goes first; one silent board costs nobody else anything, and itself one question a try.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from agent.doors.frames import MOST_CARDS, CardStates, Swept
from agent.doors.uhppote.client import BoardClient, NoResponseError, Stored
from agent.doors.uhppote.controller import Out
from rules.text import Text

_AGAIN = (1.0, 60.0)  # seconds until pending cards are tried again: first, most
_NO_RIGHTS = (0, 0, 0, 0)
_MOST_PLACES = 200_000  # of a card list, far beyond what boards hold: the end of a sweep that finds no end
_NOT_KEPT = Text("the board did not keep the change", "控制器未保存更改")


@dataclass(frozen=True, slots=True)
class Wish:
    """How one card should be, and the number of the request that said so. ``until`` is ``None`` for gone."""

    id: str
    until: date | None


class CardSync:
    """The cards of one board. Belongs to one event loop."""

    def __init__(self, client: BoardClient, out: Out, again: tuple[float, float] = _AGAIN) -> None:
        self._client, self._out, self._again = client, out, again
        self._wishes: dict[int, Wish] = {}  # everything ever wished for: what a sweep leaves alone
        self._open: dict[int, Wish] = {}  # not proven
        self._fresh: set[int] = set()  # of these, what nothing was said about
        self._going: deque[int] = deque()  # what to try now: gone before put, whenever it was wished
        self._coming: deque[int] = deque()
        self._sweeps: deque[str] = deque()
        self._work = asyncio.Event()

    @property
    def pending(self) -> frozenset[int]:
        """The cards that are not proven to be as they should."""
        return frozenset(self._open)

    def want(self, request: str, put: Iterable[tuple[int, date]], gone: Iterable[int]) -> None:
        """Wish for cards; a later wish replaces an earlier one, about which nothing more is said."""
        wishes = {card: Wish(request, until) for card, until in put} | {card: Wish(request, None) for card in gone}
        for table in (self._wishes, self._open):
            table.update(wishes)
        self._fresh.update(wishes)
        self._try(wishes)

    def sweep(self, request: str) -> None:
        """Look through the whole list of the board, once what is wished for now was tried."""
        self._sweeps.append(request)
        self._work.set()

    def retry(self) -> None:
        """Try what is pending now: the board is back."""
        self._try(self._open)

    async def run(self) -> None:
        """Work until cancelled."""
        wait = self._again[0]
        while True:
            try:
                await asyncio.wait_for(self._work.wait(), wait if self._open else None)
                wait = self._again[0]
            except TimeoutError:
                wait = min(wait * 2, self._again[1])
                self._try(self._open)
            self._work.clear()
            await self._settle_all()
            while self._sweeps:
                await self._sweep(self._sweeps.popleft())

    # --- wishes ------------------------------------------------------------------------------------------------------

    def _try(self, wishes: Mapping[int, Wish]) -> None:
        for card, wish in wishes.items():
            (self._going if wish.until is None else self._coming).append(card)
        self._work.set()

    async def _settle_all(self) -> None:
        proven: list[tuple[int, Wish]] = []
        why = _NOT_KEPT
        while self._going or self._coming:
            going = bool(self._going)
            card = (self._going if going else self._coming).popleft()
            wish = self._open.get(card)
            if wish is None or (wish.until is None) is not going:
                continue  # proven already, or somebody wished for something else meanwhile
            try:
                if await self._settled(card, wish.until):
                    proven.append((card, wish))
            except NoResponseError as silent:
                why = silent.why
                self._going.clear()  # it will not answer about the others either
                self._coming.clear()
            if len(proven) == MOST_CARDS or (going and not self._going):
                self._say(proven, None)  # what is gone is known at once, also in the middle of a long list
                proven = []
        self._say(proven, why)

    async def _settled(self, card: int, until: date | None) -> bool:
        """Make a card as it should be, and return whether the board proved that it is."""
        if until is None:
            await self._client.delete(card)
            return await self._client.card(card) is None
        if _right(await self._client.card(card), until):
            return True  # written once is enough: a board's memory wears
        await self._client.put(card, until)
        return _right(await self._client.card(card), until)

    def _say(self, proven: list[tuple[int, Wish]], why: Text | None) -> None:
        """Say what was proven; with *why* also, once, what was not."""
        done: dict[str, list[int]] = {}
        late: dict[str, list[int]] = {}
        for card, wish in proven:
            if self._open.get(card) is wish:
                del self._open[card]
                self._fresh.discard(card)
                done.setdefault(wish.id, []).append(card)
        if why:
            for card in sorted(self._fresh):
                late.setdefault(self._open[card].id, []).append(card)
            self._fresh.clear()
        for request in {**done, **late}:
            for some, others in _chunks(done.get(request, []), late.get(request, [])):
                self._out.say(CardStates(request, self._client.serial, some, others, why if others else None))

    # --- sweeping ----------------------------------------------------------------------------------------------------

    async def _sweep(self, request: str) -> None:
        removed: list[int] = []
        why = None
        try:
            async for card in self._strangers():
                await self._client.delete(card)
                if await self._client.card(card) is None:
                    removed.append(card)
                else:
                    why = _NOT_KEPT
        except NoResponseError as silent:
            why = silent.why
        for some, _ in _chunks(removed, []) or [((), ())]:
            self._out.say(Swept(request, self._client.serial, why is None, some, why))

    async def _strangers(self) -> AsyncIterator[int]:
        for place in range(1, _MOST_PLACES):
            found = await self._client.card_at(place)
            if found is None:
                return
            if isinstance(found, Stored):
                wish = self._wishes.get(found.card)
                if wish is None or wish.until is None:
                    yield found.card
                elif not _right(found, wish.until):
                    self.want(wish.id, [(found.card, wish.until)], ())


def _right(stored: Stored | None, until: date) -> bool:
    return stored is not None and stored.rights == _NO_RIGHTS and stored.end == until and stored.start is not None


def _chunks(first: list[int], second: list[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    longest = max(len(first), len(second))
    parts = range(0, longest, MOST_CARDS)
    return [(tuple(first[at : at + MOST_CARDS]), tuple(second[at : at + MOST_CARDS])) for at in parts]
