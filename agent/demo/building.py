"""Rooms of the demo: a design room behind readers with a Secure Channel, an archive behind a controller, a visitor.

Rules of this file: pure data, and the acts that enter it, as in ``cast``. Every door has a reader on each side: the
pack requires everyone to leave one room before entering another.
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
from agent.language.catalogue import localized
from rules.model import Level
from rules.text import Message, Sentence

BOARD = 405419896  # a serial number
_FIRST_BADGE = 4001


@dataclass(frozen=True, slots=True)
class Room:
    """One room with one door of the same name. ``stored_area``: the area whose documents are stored in it."""

    id: str
    name: Sentence
    level: Level
    departments: tuple[str, ...]
    stored_area: str
    persons: tuple[str, ...] = ()
    granted: tuple[Player, ...] = ()
    two_person: bool = False
    on_board: bool = False


@dataclass(frozen=True, slots=True)
class Guest:
    """A visitor, who is not on the staff, and their escort, who is."""

    id: str
    name: Sentence
    badge: int
    room: str
    escort: Player


DESIGN = Room(
    "design-room",
    Message("demo.design-room"),
    Level.SECRET,
    (RESEARCH,),
    DRAWINGS.id,
    persons=(SUN.id,),
    granted=(ZHANG, ZHOU, SUN),
    two_person=True,
)
ARCHIVE = Room(
    "archive", Message("demo.archive"), Level.INTERNAL, (RESEARCH, SALES, OFFICE), HANDBOOK.id, on_board=True
)
ROOMS = (DESIGN, ARCHIVE)
GUEST = Guest("V2001", Message("demo.visitor"), 4999, DESIGN.id, SUN)
_COMING = (ZHANG, ZHOU, SUN, LI)  # the people with a declaration


def badge(holder: Player | Guest) -> int:
    """Return the number on the badge of *holder*."""
    return holder.badge if isinstance(holder, Guest) else _FIRST_BADGE + holder.number


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
    """Yield the acts that register the rooms, their doors, badges, declarations and the visit.

    *addresses*: entry and exit readers by door; *listen*: the address to which the controller sends its events.
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
                "keep": [room.stored_area],
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
    yield OfficerAct(
        "visitor.add", {"person": GUEST.id, "name": localized(GUEST.name, "zh"), "room": GUEST.room, **visit}
    )
