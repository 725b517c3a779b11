"""What an event of a board means for the doors it serves.

Rules of this file: pure. The board's own reasons decide, never its "granted" alone. A door or a direction that was not
set up gives no read: a reader nobody declared must not become the way out, which is always open. What is old is told
as old, and is never a door that moves now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.doors.frames import FromDoors, Trouble
from agent.doors.messages import Contact, OwnDecision, Power, Read, RequestToExit, Side
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import Happened
from rules.text import Text

_DIRECTIONS: Mapping[int, Side] = {1: "in", 2: "out"}
_NO_CARD = {reasons.REMOTE_OPEN, reasons.BUTTON, reasons.SUPERVISOR, 34, 37, 38, 39}  # the number in these is none


@dataclass(frozen=True, slots=True)
class DoorBinding:
    """One door of a board as the site names it, with the directions that have a reader and their addresses."""

    door: str
    readers: Mapping[Side, str]
    seconds: int


@dataclass(frozen=True, slots=True)
class When:
    """Unix seconds of the event, and whether that is too long ago to act on, or not to be believed."""

    at: float
    stale: bool


def told(
    serial: int, event: Happened, places: Mapping[int, DoorBinding], when: When, *, ours: bool
) -> tuple[FromDoors, ...]:
    """Return what to say about *event* of the board *serial*; *ours*: this agent told it to open."""
    if event.reason in (reasons.POWER_ON, reasons.RESET):
        doors = [place.door for place in places.values()]
        return tuple(Power(door, failed) for failed in (True, False) for door in doors)
    if event.door == 0:  # not of one door: fire, and whatever a board may have besides
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
    """Return that the board acted without us. Opening is what counts, so its word for it is taken when it says so."""
    card = 0 if event.reason in _NO_CARD else event.card
    granted = event.granted or event.reason in (reasons.SWIPE, reasons.SUPERVISOR)
    return OwnDecision(place.door, card, granted, event.reason, when.stale)


def _not_set_up(serial: int, event: Happened, door: str = "") -> Trouble:
    number, way = event.door, _DIRECTIONS.get(event.direction, "?")
    what = reasons.text(event.reason)
    return Trouble(
        Text(
            f"board {serial} reports from a place that is not set up: door {number}, direction {way}: {what.en}",
            f"控制器 {serial} 报告了未配置的位置：门 {number}，方向 {way}：{what.zh}",
        ),
        door,
    )
