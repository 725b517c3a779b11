"""What door boards know of cards: every good badge, without any right, and no card of anybody who is stopped.

Rules of this file:
- a board gets a card so that it reports it, never so that it opens: what it decides by itself is a refusal;
- a card counts as put or as gone on a board when it was read back from that board, and only for the last thing asked;
  until then it is pending, by name, whatever else is confirmed;
- a process that was started anew is told everything, and then takes off the boards what nobody put there;
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
from rules.text import Text

_NO_END = "2099-12-31"
_ASKED = Text("asked, not read back yet", "已下发，尚未回读")
_NOTHING = Text("", "")


class CardOnBoard(NamedTuple):
    """What is known of one card on one board. ``at``: since when."""

    wanted: Wanted
    state: CardState
    why: Text
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
        self._told: dict[int, str] = {}  # what the process was told to put, and until when
        self._last: dict[int, tuple[str, Wanted]] = {}  # the frame that asked last about a card
        self._numbers = itertools.count(1)
        self._known: dict[tuple[str, int], CardOnBoard] = {}

    def begin(self) -> None:
        """Remember what was pending when the last process ended. May raise :class:`ShoumiError`."""
        for row in self._building.reader.board_cards():
            if row.card.isdecimal():
                self._known[row.board, int(row.card)] = CardOnBoard(row.wanted, row.state, row.why, row.at)

    def anew(self) -> None:
        """The process knows nothing: tell it everything, then have the boards looked through."""
        serials = self._serials()
        gone = {card for (serial, card), known in self._known.items() if known.wanted == "gone" and serial in serials}
        self._told, self._last = {}, {}
        if serials:
            wanted = self._wanted()
            self._ask(wanted, gone - wanted.keys())
            self._send(Sweep(self._id("sweep")))

    def follow(self) -> None:
        """Tell the process what has changed. May raise :class:`ShoumiError`; a process started anew is told it all."""
        if not self._serials():
            return
        wanted = self._wanted()
        put = {card: until for card, until in wanted.items() if self._told.get(card) != until}
        self._ask(put, self._told.keys() - wanted.keys())

    def withdraw(self, cards: Iterable[int]) -> None:
        """Have *cards* taken off every board, and that proven, unless it is known. May raise :class:`ShoumiError`."""
        serials = self._serials()
        gone = {
            card
            for serial in serials
            for card in cards
            if (known := self._known.get((serial, card))) is None or known.wanted == "put"
        }
        if gone:
            self._ask({}, gone)

    def stated(self, frame: CardStates) -> None:
        """Take in what reading back has proven."""
        serial, news = str(frame.board), {}
        found: tuple[tuple[CardState, tuple[int, ...]], ...] = (
            ("confirmed", frame.confirmed),
            ("pending", frame.pending),
        )
        for state, cards in found:
            for card in cards:
                ident, wanted = self._last.get(card, ("", "put"))
                if ident == frame.id and serial in self._serials():
                    why = _NOTHING if state == "confirmed" else frame.why or _ASKED
                    news[serial, card] = CardOnBoard(wanted, state, why, self._now())
        self._learn(news)

    def swept(self, frame: Swept) -> None:
        """Take in that a board was looked through: what it removed is gone, as far as we ever asked about it.

        What else it names, and a board that is none of ours, takes no room: who speaks for a board may say anything.
        """
        serial = str(frame.board)
        self._learn(
            {
                (serial, card): CardOnBoard("gone", "confirmed", _NOTHING, self._now())
                for card in frame.removed
                if (serial, card) in self._known
            }
        )

    def ours(self, serial: str) -> bool:
        """Whether a door of this site is on the board *serial*."""
        return serial in self._serials()

    def on(self, serial: str, card: int) -> CardOnBoard | None:
        """Return what is known of *card* on a board."""
        return self._known.get((serial, card))

    def _ask(self, put: Mapping[int, str], gone: Iterable[int]) -> None:
        """Send it in frames of a bounded size; note what was asked before it is sent, so that no answer comes first."""
        now, serials = self._now(), self._serials()
        for cards in _parts(sorted(put)):
            frame = Cards(self._id("put"), put=tuple(BoardBadge(card, put[card]) for card in cards))
            self._note_asked(frame.id, "put", cards, serials, now)
            self._send(frame)
            self._told |= {card: put[card] for card in cards}
        for cards in _parts(sorted(gone)):
            frame = Cards(self._id("gone"), gone=tuple(cards))
            self._note_asked(frame.id, "gone", cards, serials, now)
            for card in cards:
                self._told.pop(card, None)
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
                if (known := self._known.get((serial, card))) is None or known.wanted != wanted
            }
        )

    def _learn(self, news: Mapping[tuple[str, int], CardOnBoard]) -> None:
        fresh = {
            key: known for key, known in news.items() if (old := self._known.get(key)) is None or old[:3] != known[:3]
        }
        if not fresh:
            return
        with self._registry.note(self._now()) as note:
            for (serial, card), known in fresh.items():
                note.boards.want_card(serial, str(card), known.wanted)
                note.boards.set_card(serial, str(card), known.state, known.why)
        self._known |= fresh

    def _wanted(self) -> dict[int, str]:
        """Return every card boards should know, and the last day on which they should."""
        now = self._now()
        stopped = self._building.reader.stopped(now)
        return {
            int(badge.number): badge.until.date().isoformat() if badge.until else _NO_END
            for badge in self._building.reader.badges()
            if badge.good(now) and badge.person not in stopped and on_a_board(badge.number)
        }

    def _serials(self) -> frozenset[str]:
        return frozenset(boards(self._building.doors.values()))

    def _id(self, what: str) -> str:
        return f"{what}-{next(self._numbers)}"


def _parts(cards: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(cards), MOST_CARDS):
        yield cards[start : start + MOST_CARDS]
