"""Events of a board, translated into frames of the doors process.

Rules of this file: pure. The reason code of the board decides, never its "granted" alone. A door or direction that is
not configured yields no read: an undeclared reader must not become an exit reader, because exits are always released.
An old event is reported as stale and never as a door that moves now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.doors.frames import FromDoors, Trouble
from agent.doors.messages import Contact, OwnDecision, Power, Read, RequestToExit, Side
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import Happened
from rules.text import Message

_DIRECTIONS: Mapping[int, Side] = {1: "in", 2: "out"}
_DIRECTION_NAMES: Mapping[int, Message] = {1: Message("doors.direction-in"), 2: Message("doors.direction-out")}
_UNKNOWN_DIRECTION = Message("doors.direction-unknown")
_NO_CARD = {reasons.REMOTE_OPEN, reasons.BUTTON, reasons.SUPERVISOR, 34, 37, 38, 39}  # no card number in these


@dataclass(frozen=True, slots=True)
class DoorBinding:
    """One door of a board as the site names it, with the directions that have a reader and their addresses."""

    door: str
    readers: Mapping[Side, str]
    seconds: int


@dataclass(frozen=True, slots=True)
class When:
    """Unix seconds of the event, and whether it is too old to act on or its time is not credible."""

    at: float
    stale: bool


def frames_of(
    serial: int, event: Happened, places: Mapping[int, DoorBinding], when: When, *, ours: bool
) -> tuple[FromDoors, ...]:
    """Return the frames for *event* of the board *serial*; *ours*: this agent commanded the opening."""
    if event.reason in (reasons.POWER_ON, reasons.RESET):
        doors = [place.door for place in places.values()]
        return tuple(Power(door, failed) for failed in (True, False) for door in doors)
    if event.door == 0:  # not of one door: fire and other events of the whole board
        return tuple(_alone(event, place, when) for place in places.values())
    place = places.get(event.door)
    if place is None:
        return (_not_set_up(serial, event),)
    match event.reason:
        case reasons.REMOTE_OPEN if ours:
            return ()
        case reasons.PC_CONTROL:
            return _read(serial, event, place, when)
        case reasons.DOOR_OPEN | reasons.DOOR_CLOSED:
            return (Contact(place.door, open=event.reason == reasons.DOOR_OPEN, stale=when.stale),)
        case reasons.BUTTON:
            return (RequestToExit(place.door, stale=when.stale),)
    return (_alone(event, place, when),)


def _read(serial: int, event: Happened, place: DoorBinding, when: When) -> tuple[FromDoors, ...]:
    side = _DIRECTIONS.get(event.direction)
    if side is None or side not in place.readers:
        return (_not_set_up(serial, event, place.door),)
    read = Read(
        place.door, side, event.card, when.at, secure=True, stale=when.stale, bits=32, raw=f"{event.card:08x}",
        index=event.index,
    )  # fmt: skip
    return (read, _alone(event, place, when)) if event.granted else (read,)


def _alone(event: Happened, place: DoorBinding, when: When) -> OwnDecision:
    """Return the board's own decision. The opening is what matters, so a report of one is believed."""
    card = 0 if event.reason in _NO_CARD else event.card
    granted = event.granted or event.reason in (reasons.SWIPE, reasons.SUPERVISOR)
    return OwnDecision(place.door, card, granted, event.reason, when.stale)


def _not_set_up(serial: int, event: Happened, door: str = "") -> Trouble:
    direction = _DIRECTION_NAMES.get(event.direction, _UNKNOWN_DIRECTION)
    description = reasons.text(event.reason)
    return Trouble(
        Message(
            "doors.event-from-unconfigured-door", serial=serial, door=event.door, direction=direction, event=description
        ),
        door,
    )
