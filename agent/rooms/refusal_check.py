"""Refusal check: whether every door is known to deny a person, and the evidence.

Rules of this file: a door is known to deny when the rules, evaluated for that person with each of their badges, deny,
and, where the door's board stores cards, when the cards were looked up on the board and are absent. A person who is
neither leaving nor on hold (a transfer) keeps the badge: the rules then decide at every door, every time.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from agent.language.catalogue import localized
from agent.rooms.board_cards import BoardCardSync
from agent.rooms.configuration import board, on_a_board
from agent.rooms.controller import RoomController
from agent.rooms.facts import SiteSnapshot
from rules.text import Message, Sentence

_DENIED = Message("rooms.rules-deny")
_LETS_IN = Message("rooms.rules-allow")
_GONE = Message("rooms.card-absent")
_STAYS = Message("rooms.badge-kept")
_UNREAD = Message("rooms.card-not-checked")


class KnownRefusal(NamedTuple):
    """A door, and whether it is known to deny a person. ``at``: since when that is known."""

    name: str
    confirmed: bool
    at: datetime | None
    detail: Sentence


def cards_of(building: SiteSnapshot, person: str) -> tuple[list[str], list[int]]:
    """Return the badges of *person*, and those boards may store. May raise :class:`ShoumiError`."""
    badges = [badge.number for badge in building.reader.badges() if badge.person == person]
    return badges, sorted({int(number) for number in badges if on_a_board(number)})


def is_stopped(building: SiteSnapshot, person: str, now: datetime) -> bool:
    """Return whether *person* is inactive, on hold or leaving. May raise :class:`ShoumiError`."""
    return person in building.reader.stopped(now)


def refusals(
    building: SiteSnapshot, rooms: RoomController, boards: BoardCardSync, person: str, now: datetime
) -> Iterator[KnownRefusal]:
    """Yield every door and whether it is known to deny *person*. May raise :class:`ShoumiError`."""
    badges, cards = cards_of(building, person)
    if not is_stopped(building, person, now):
        yield from (KnownRefusal(row.name, confirmed=True, at=now, detail=_STAYS) for row in building.doors.values())
        return
    places = {row.room for row in building.doors.values()}
    refused = {room: all(rooms.refuses(room, person, badge) for badge in badges or [""]) for room in places}
    for row in building.doors.values():
        serial = board(row)
        if not refused[row.room]:
            yield KnownRefusal(row.name, confirmed=False, at=None, detail=_LETS_IN)
        elif serial and cards:
            yield _on_board(row.name, serial, boards, cards)
        else:
            yield KnownRefusal(row.name, confirmed=True, at=now, detail=_DENIED)


def _on_board(door: str, serial: str, boards: BoardCardSync, cards: Iterable[int]) -> KnownRefusal:
    states = {card: boards.on(serial, card) for card in cards}
    removed_at = [
        state.at for state in states.values() if state and (state.wanted, state.state) == ("gone", "confirmed")
    ]
    if len(removed_at) == len(states):
        return KnownRefusal(door, confirmed=True, at=max(removed_at), detail=_about_board(serial, _GONE))
    reasons = [
        state.detail
        for state in states.values()
        if state and state.state == "pending" and localized(state.detail, "en")
    ]
    return KnownRefusal(door, confirmed=False, at=None, detail=_about_board(serial, reasons[0] if reasons else _UNREAD))


def _about_board(serial: str, text: Sentence) -> Sentence:
    return Message("doors.about-board", serial=serial, report=text)
