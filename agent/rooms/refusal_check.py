"""Whether every door refuses somebody, and what that is known by.

Rules of this file: a door is known to refuse when the rules, asked as that person with every badge of theirs, say no,
and, where the door's board keeps cards of its own, when the cards were looked for on the board and are not there. Who
is neither leaving nor on hold (a transfer) keeps his badge: there the rules are asked at every door, every time.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from agent.rooms.board_cards import BoardCardSync
from agent.rooms.configuration import board, on_a_board
from agent.rooms.controller import RoomController
from agent.rooms.facts import SiteSnapshot
from rules.text import Text

_DENIED = Text("the rules refuse, and this door asks them every time", "规则已拒绝，该门每次均须询问规则")
_LETS_IN = Text("the rules would let the person in", "规则仍会放行该人员")
_GONE = Text("the card was looked for and is not there", "已回读，卡片不在其中")
_STAYS = Text("the person keeps the badge, and the rules are asked every time", "该人员保留门禁卡，每次均询问规则")
_UNREAD = Text("the card has not been looked for yet", "尚未回读")


class KnownRefusal(NamedTuple):
    """A door, and whether it is known to refuse a person. ``at``: since when that is known."""

    name: str
    confirmed: bool
    at: datetime | None
    detail: Text


def cards_of(building: SiteSnapshot, person: str) -> tuple[list[str], list[int]]:
    """Return the badges of *person*, and the cards boards may know of them. May raise :class:`ShoumiError`."""
    badges = [badge.number for badge in building.reader.badges() if badge.person == person]
    return badges, sorted({int(number) for number in badges if on_a_board(number)})


def is_stopped(building: SiteSnapshot, person: str, now: datetime) -> bool:
    """Whether *person* is inactive, on hold or leaving. May raise :class:`ShoumiError`."""
    return person in building.reader.stopped(now)


def refusals(
    building: SiteSnapshot, rooms: RoomController, boards: BoardCardSync, person: str, now: datetime
) -> Iterator[KnownRefusal]:
    """Yield every door and whether it is known to refuse *person*. May raise :class:`ShoumiError`."""
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
    known = {card: boards.on(serial, card) for card in cards}
    gone = [one.at for one in known.values() if one and (one.wanted, one.state) == ("gone", "confirmed")]
    if len(gone) == len(known):
        return KnownRefusal(door, confirmed=True, at=max(gone), detail=_said(serial, _GONE))
    whys = [one.why for one in known.values() if one and one.state == "pending" and one.why.en]
    return KnownRefusal(door, confirmed=False, at=None, detail=_said(serial, whys[0] if whys else _UNREAD))


def _said(serial: str, text: Text) -> Text:
    return Text(f"board {serial}: {text.en}", f"控制板 {serial}：{text.zh}")
