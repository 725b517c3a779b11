"""The rooms of the demo: a design room behind readers with a Secure Channel, an archive behind a board, and a visitor.

Rules of this file: pure data, and the acts that enter it, beside ``cast``. Every door has a reader on each side: the
pack wants everybody to have left one room before entering another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.demo.cast import (
    DOMAIN,
    DRAWINGS,
    HANDBOOK,
    LI,
    OFFICE,
    PLAYERS,
    RESEARCH,
    SALES,
    SUN,
    ZHANG,
    ZHOU,
    OfficerAct,
    Player,
)
from rules.model import Level
from rules.text import Text

BOARD = 405419896  # a serial number
_FIRST_BADGE = 4001


@dataclass(frozen=True, slots=True)
class Room:
    """One room with one door of the same name. ``kept``: the area whose papers lie in it."""

    id: str
    name: Text
    level: Level
    departments: tuple[str, ...]
    kept: str
    persons: tuple[str, ...] = ()
    granted: tuple[Player, ...] = ()
    two_person: bool = False
    on_board: bool = False


@dataclass(frozen=True, slots=True)
class Guest:
    """A visitor: nobody of the house, led in by somebody who is."""

    id: str
    name: Text
    badge: int
    room: str
    escort: Player


DESIGN = Room(
    "design-room",
    Text("the design room", "设计室"),
    Level.SECRET,
    (RESEARCH,),
    DRAWINGS.id,
    persons=(SUN.id,),
    granted=(ZHANG, ZHOU, SUN),
    two_person=True,
)
ARCHIVE = Room(
    "archive", Text("the archive", "资料室"), Level.INTERNAL, (RESEARCH, SALES, OFFICE), HANDBOOK.id, on_board=True
)
ROOMS = (DESIGN, ARCHIVE)
GUEST = Guest("V2001", Text("a visitor", "来访者"), 4999, DESIGN.id, SUN)
_COMING = (ZHANG, ZHOU, SUN, LI)  # who has said what for


def badge(who: Player | Guest) -> int:
    """Return the number on the card of *who*."""
    return who.badge if isinstance(who, Guest) else _FIRST_BADGE + who.number


def devices() -> dict[str, Any]:
    """Return the readers and the board, as the simulator takes them: new readers have no key yet."""
    readers = [
        {"door": room.id, "side": side, "number": number, "line": f"{room.id} {side}", "wired": side == "in"}
        for room in ROOMS
        if not room.on_board
        for number, side in enumerate(("in", "out"), 1)
    ]
    doors = {str(place): room.id for place, room in enumerate((room for room in ROOMS if room.on_board), 1)}
    return {"readers": readers, "boards": [{"serial": BOARD, "doors": doors}]}


def opening(addresses: Mapping[str, tuple[str, str]], listen: str) -> Iterator[OfficerAct]:
    """Yield the acts that register the rooms, their doors, who comes, and why.

    *addresses*: those of the readers on the way in and out, by door; *listen*: where the board tells its events.
    """
    yield OfficerAct("door.listen", {"address": listen})
    for room in ROOMS:
        yield OfficerAct(
            "room.add",
            {
                "room": room.id,
                "level": room.level.word,
                "domain": DOMAIN,
                "department": list(room.departments),
                "person": list(room.persons),
                "two_person": "yes" if room.two_person else "no",
                "keep": [room.kept],
            },
        )
        outside, inside = addresses[room.id]
        args = {"door": room.id, "room": room.id, "reader": [outside], "exit_reader": [inside], "contact": "yes"}
        yield OfficerAct("door.add", args)
        for player in room.granted:
            yield OfficerAct("grant.add", {"person": player.id, "area": room.id, "reason": "项目甲"})
    for player in PLAYERS:
        yield OfficerAct("badge.add", {"person": player.id, "number": str(badge(player))})
    for player in _COMING:
        yield OfficerAct("declaration.add", {"person": player.id, "room": DESIGN.id, "purpose": "图纸会审"})
    visit = {"host": GUEST.escort.id, "escort": GUEST.escort.id, "purpose": "设备检修", "badge": str(GUEST.badge)}
    yield OfficerAct("visitor.add", {"person": GUEST.id, "name": GUEST.name.zh, "room": GUEST.room, **visit})
