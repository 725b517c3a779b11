"""Cards on door boards: every valid badge, without any right, and no card of a stopped person.

Rules of this file:
- a board gets a card so that it reports it, never so that it opens: its own decision is always a denial;
- a card counts as stored or deleted on a board when it was read back from that board, and only for the last request;
  until then it is pending, individually, whatever else is confirmed;
- a restarted doors process gets all cards, and then deletes unknown ones from the boards;
- one thread.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from agent.doors.frames import MOST_CARDS, BoardBadge, Cards, CardStates, Sweep, Swept, ToDoors
from agent.registry.rows.boards import CardState, Wanted
from agent.registry.store import Registry
from agent.rooms.configuration import boards, on_a_board
from agent.rooms.facts import SiteSnapshot
from rules.text import Message, Sentence, Text

_NO_END = "2099-12-31"
_ASKED = Message("rooms.card-unconfirmed")
_NOTHING = Text("", "")


class CardOnBoard(NamedTuple):
    """The state of one card on one board. ``at``: since when."""

    wanted: Wanted
    state: CardState
    detail: Sentence
    at: datetime


class BoardCardSync:
    """The cards of all boards. *send* gives a frame to the doors process and raises :class:`ShoumiError`."""

    def __init__(
        self, building: SiteSnapshot, registry: Registry, send: Callable[[ToDoors], None], now: Callable[[], datetime]
    ) -> None:
        self._building = building
        self._registry = registry
        self._send = send
        self._now = now
        self._put_until: dict[int, str] = {}  # cards the process was told to store, and their end dates
        self._last: dict[int, tuple[str, Wanted]] = {}  # the last request for each card
        self._numbers = itertools.count(1)
        self._cards: dict[tuple[str, int], CardOnBoard] = {}

    def begin(self) -> None:
        """Load the states as of the end of the last process. May raise :class:`ShoumiError`."""
        for row in self._building.reader.board_cards():
            if row.card.isdecimal():
                self._cards[row.board, int(row.card)] = CardOnBoard(row.wanted, row.state, row.why, row.at)

    def resync(self) -> None:
        """Send all cards to a process that knows none, then have the boards swept."""
        serials = self._serials()
        to_delete = {
            card
            for (serial, card), card_state in self._cards.items()
            if card_state.wanted == "gone" and serial in serials
        }
        self._put_until, self._last = {}, {}
        if serials:
            wanted = self._wanted()
            self._ask(wanted, to_delete - wanted.keys())
            self._send(Sweep(self._id("sweep")))

    def follow(self) -> None:
        """Send the process the changes. May raise :class:`ShoumiError`; a restarted process gets all cards."""
        if not self._serials():
            return
        wanted = self._wanted()
        put = {card: until for card, until in wanted.items() if self._put_until.get(card) != until}
        self._ask(put, self._put_until.keys() - wanted.keys())

    def withdraw(self, cards: Iterable[int]) -> None:
        """Have *cards* deleted from every board and confirmed, unless that is known. May raise :class:`ShoumiError`."""
        serials = self._serials()
        to_delete = {
            card
            for serial in serials
            for card in cards
            if (card_state := self._cards.get((serial, card))) is None or card_state.wanted == "put"
        }
        if to_delete:
            self._ask({}, to_delete)

    def stated(self, frame: CardStates) -> None:
        """Record card states that were confirmed by reading back."""
        serial, news = str(frame.board), {}
        proven: tuple[tuple[CardState, tuple[int, ...]], ...] = (
            ("confirmed", frame.confirmed),
            ("pending", frame.pending),
        )
        for state, cards in proven:
            for card in cards:
                ident, wanted = self._last.get(card, ("", "put"))
                if ident == frame.id and serial in self._serials():
                    detail = _NOTHING if state == "confirmed" else frame.why or _ASKED
                    news[serial, card] = CardOnBoard(wanted, state, detail, self._now())
        self._learn(news)

    def swept(self, frame: Swept) -> None:
        """Record a sweep of a board: removed cards are deleted, as far as the agent ever requested them.

        Other cards, and boards not of this site, are not stored: the doors process may name any number of them.
        """
        serial = str(frame.board)
        self._learn(
            {
                (serial, card): CardOnBoard("gone", "confirmed", _NOTHING, self._now())
                for card in frame.removed
                if (serial, card) in self._cards
            }
        )

    def ours(self, serial: str) -> bool:
        """Return whether a door of this site is on the board *serial*."""
        return serial in self._serials()

    def on(self, serial: str, card: int) -> CardOnBoard | None:
        """Return the state of *card* on a board, if known."""
        return self._cards.get((serial, card))

    def _ask(self, put: Mapping[int, str], delete: Iterable[int]) -> None:
        """Send the request in frames of bounded size; note it before sending, so that no answer precedes it."""
        now, serials = self._now(), self._serials()
        for cards in _parts(sorted(put)):
            frame = Cards(self._id("put"), put=tuple(BoardBadge(card, put[card]) for card in cards))
            self._note_asked(frame.id, "put", cards, serials, now)
            self._send(frame)
            self._put_until |= {card: put[card] for card in cards}
        for cards in _parts(sorted(delete)):
            frame = Cards(self._id("gone"), gone=tuple(cards))
            self._note_asked(frame.id, "gone", cards, serials, now)
            for card in cards:
                self._put_until.pop(card, None)
            self._send(frame)

    def _note_asked(
        self, ident: str, wanted: Wanted, cards: Iterable[int], serials: Iterable[str], now: datetime
    ) -> None:
        self._last |= dict.fromkeys(cards, (ident, wanted))
        self._learn(
            {
                (serial, card): CardOnBoard(wanted, "pending", _ASKED, now)
                for serial in serials
                for card in cards
                if (card_state := self._cards.get((serial, card))) is None or card_state.wanted != wanted
            }
        )

    def _learn(self, news: Mapping[tuple[str, int], CardOnBoard]) -> None:
        fresh = {
            key: card_state
            for key, card_state in news.items()
            if (previous := self._cards.get(key)) is None or previous[:3] != card_state[:3]
        }
        if not fresh:
            return
        with self._registry.note(self._now()) as note:
            for (serial, card), card_state in fresh.items():
                note.boards.want_card(serial, str(card), card_state.wanted)
                note.boards.set_card(serial, str(card), card_state.state, card_state.detail)
        self._cards |= fresh

    def _wanted(self) -> dict[int, str]:
        """Return every card boards should have, and its end date."""
        now = self._now()
        stopped = self._building.reader.stopped(now)
        return {
            int(badge.number): badge.until.date().isoformat() if badge.until else _NO_END
            for badge in self._building.reader.badges()
            if badge.good(now) and badge.person not in stopped and on_a_board(badge.number)
        }

    def _serials(self) -> frozenset[str]:
        return frozenset(boards(self._building.doors.values()))

    def _id(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers)}"


def _parts(cards: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(cards), MOST_CARDS):
        yield cards[start : start + MOST_CARDS]
