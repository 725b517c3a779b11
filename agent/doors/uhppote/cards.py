"""Card sync of one board: the wanted state of every card, and its confirmation by reading back.

Rules of this file:
- a card is stored with no right at any door and an end date, or deleted; there is no third state;
- the answer to a change proves nothing: only reading the card back does. An unconfirmed card is pending, is reported as
  such at once and retried, at growing intervals and as soon as the board is back, until confirmed or no longer wanted;
- deletions go first; a silent board does not delay other boards, and costs one request per try.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from agent.doors.frames import MOST_CARDS, CardStates, Swept
from agent.doors.uhppote.client import BoardClient, NoResponseError, Stored
from agent.doors.uhppote.controller import Out
from rules.text import Message

_RETRY = (1.0, 60.0)  # seconds until pending cards are tried again: first, most
_NO_RIGHTS = (0, 0, 0, 0)
_MOST_PLACES = 200_000  # of a card list, far beyond the capacity of boards: bounds a sweep of a list without end
_NOT_KEPT = Message("doors.board-change-not-stored")


@dataclass(frozen=True, slots=True)
class Wish:
    """The wanted state of one card, and the id of its request. ``until`` is ``None`` for a deleted card."""

    id: str
    until: date | None


class CardSync:
    """The cards of one board. Belongs to one event loop."""

    def __init__(self, client: BoardClient, out: Out, retry_seconds: tuple[float, float] = _RETRY) -> None:
        self._client, self._out, self._retry_seconds = client, out, retry_seconds
        self._wishes: dict[int, Wish] = {}  # all wishes ever: a sweep spares these cards
        self._open: dict[int, Wish] = {}  # not confirmed
        self._fresh: set[int] = set()  # the unconfirmed cards not reported yet
        self._to_delete: deque[int] = deque()  # cards to try now: deletions first, whatever the order of requests
        self._to_store: deque[int] = deque()
        self._sweeps: deque[str] = deque()
        self._work = asyncio.Event()

    @property
    def pending(self) -> frozenset[int]:
        """The cards whose wanted state is not confirmed."""
        return frozenset(self._open)

    def want(self, request: str, put: Iterable[tuple[int, date]], delete: Iterable[int]) -> None:
        """Request card states; a later wish replaces an earlier one, which is not reported any more."""
        wishes = {card: Wish(request, until) for card, until in put} | {card: Wish(request, None) for card in delete}
        for table in (self._wishes, self._open):
            table.update(wishes)
        self._fresh.update(wishes)
        self._try(wishes)

    def sweep(self, request: str) -> None:
        """Check the whole card list of the board, after the present wishes were tried."""
        self._sweeps.append(request)
        self._work.set()

    def retry(self) -> None:
        """Retry the pending cards: the board is back."""
        self._try(self._open)

    async def run(self) -> None:
        """Work until cancelled."""
        wait = self._retry_seconds[0]
        while True:
            try:
                await asyncio.wait_for(self._work.wait(), wait if self._open else None)
                wait = self._retry_seconds[0]
            except TimeoutError:
                wait = min(wait * 2, self._retry_seconds[1])
                self._try(self._open)
            self._work.clear()
            await self._settle_all()
            while self._sweeps:
                await self._sweep(self._sweeps.popleft())

    # --- wishes ------------------------------------------------------------------------------------------------------

    def _try(self, wishes: Mapping[int, Wish]) -> None:
        for card, wish in wishes.items():
            (self._to_delete if wish.until is None else self._to_store).append(card)
        self._work.set()

    async def _settle_all(self) -> None:
        proven: list[tuple[int, Wish]] = []
        reason = _NOT_KEPT
        while self._to_delete or self._to_store:
            deleting = bool(self._to_delete)
            card = (self._to_delete if deleting else self._to_store).popleft()
            wish = self._open.get(card)
            if wish is None or (wish.until is None) is not deleting:
                continue  # confirmed already, or the wish has changed meanwhile
            try:
                if await self._settled(card, wish.until):
                    proven.append((card, wish))
            except NoResponseError as silent:
                reason = silent.reason
                self._to_delete.clear()  # it will not answer for the other cards either
                self._to_store.clear()
            if len(proven) == MOST_CARDS or (deleting and not self._to_delete):
                self._say(proven, None)  # deletions are reported at once, also within a long list
                proven = []
        self._say(proven, reason)

    async def _settled(self, card: int, until: date | None) -> bool:
        """Set a card to its wanted state; return whether reading it back confirmed that."""
        if until is None:
            await self._client.delete(card)
            return await self._client.card(card) is None
        if _right(await self._client.card(card), until):
            return True  # not written again: the memory of a board wears
        await self._client.put(card, until)
        return _right(await self._client.card(card), until)

    def _say(self, proven: list[tuple[int, Wish]], reason: Message | None) -> None:
        """Report confirmed cards; with *reason* also, once, the unconfirmed ones."""
        confirmed: dict[str, list[int]] = {}
        pending: dict[str, list[int]] = {}
        for card, wish in proven:
            if self._open.get(card) is wish:
                del self._open[card]
                self._fresh.discard(card)
                confirmed.setdefault(wish.id, []).append(card)
        if reason:
            for card in sorted(self._fresh):
                pending.setdefault(self._open[card].id, []).append(card)
            self._fresh.clear()
        for request in {**confirmed, **pending}:
            for confirmed_part, pending_part in _chunks(confirmed.get(request, []), pending.get(request, [])):
                self._out.say(
                    CardStates(
                        request, self._client.serial, confirmed_part, pending_part, reason if pending_part else None
                    )
                )

    # --- sweeping ----------------------------------------------------------------------------------------------------

    async def _sweep(self, request: str) -> None:
        removed: list[int] = []
        reason = None
        try:
            async for card in self._unknown_cards():
                await self._client.delete(card)
                if await self._client.card(card) is None:
                    removed.append(card)
                else:
                    reason = _NOT_KEPT
        except NoResponseError as silent:
            reason = silent.reason
        for removed_part, _ in _chunks(removed, []) or [((), ())]:
            self._out.say(Swept(request, self._client.serial, reason is None, removed_part, reason))

    async def _unknown_cards(self) -> AsyncIterator[int]:
        for place in range(1, _MOST_PLACES):
            stored = await self._client.card_at(place)
            if stored is None:
                return
            if isinstance(stored, Stored):
                wish = self._wishes.get(stored.card)
                if wish is None or wish.until is None:
                    yield stored.card
                elif not _right(stored, wish.until):
                    self.want(wish.id, [(stored.card, wish.until)], ())


def _right(stored: Stored | None, until: date) -> bool:
    return stored is not None and stored.rights == _NO_RIGHTS and stored.end == until and stored.start is not None


def _chunks(first: list[int], second: list[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    longest = max(len(first), len(second))
    parts = range(0, longest, MOST_CARDS)
    return [(tuple(first[at : at + MOST_CARDS]), tuple(second[at : at + MOST_CARDS])) for at in parts]
