"""What one room's panel remembers, and how it is kept over a restart.

Rules of this file: data only, and every list in it is bounded. What a restart must not lose is written as JSON of a
stated version; what it must not keep (digits of a PIN half entered, somebody waiting for his second) is
:class:`Fleeting` and is never written. Instants are seconds since 1970 UTC.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from agent.doors.codec import InvalidMessageError, Within, dumps, loads, read
from agent.doors.messages import Side
from agent.rooms.panel.effects import AlarmKind

VERSION = 1
MOST_PASSAGES = 32  # releases not settled yet
MOST_ALARMS = 256  # remembered, so that one condition is one alarm
MOST_PIN_COUNTS = 256
MOST_WAITING = 8
MOST_RECENT = 64  # reads remembered for duplicates

Words = Annotated[str, Within(0, 1000)]


@dataclass(frozen=True, slots=True)
class Occupant:
    """Somebody inside. ``sure``: the strike or the contact bears it out. ``escort``: who must be inside with him."""

    person: Words
    badge: Words
    door: Words
    since: float
    sure: bool = True
    escort: Words = ""


@dataclass(frozen=True, slots=True)
class Passer:
    """Somebody a release is for."""

    person: Words
    badge: Words
    escort: Words = ""


@dataclass(frozen=True, slots=True)
class PendingRelease:
    """A release that is not settled. ``answered``: the strike did it; ``opened``: the door was seen to open.

    ``confirmed``: the strike was also seen to do it. ``blind``: the agent was away, so a closed door proves nothing.
    """

    id: Words
    door: Words
    side: Side
    people: tuple[Passer, ...]
    at: float
    until: float
    answered: bool = False
    opened: bool = False
    blind: bool = False
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm raised. ``over``: its condition has ended; ``seen``: somebody acknowledged it. Both end it.

    ``times``: how often it began within a minute; beyond :data:`agent.rooms.panel.step.MOST_TIMES` that is told no
    more.
    """

    kind: Words
    door: Words
    person: Words
    at: float
    over: bool = False
    seen: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class DoorPosition:
    """One door. ``open`` is ``None`` before it ever said; ``free_until``: till then it may open without alarm."""

    door: Words
    open: bool | None = None
    since: float = 0.0
    free_until: float = 0.0
    tampered: tuple[Side, ...] = ()
    offline: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True)
class PinCount:
    """Wrong PINs in a row; ``until``: when they are forgotten.

    Of a person in this room, with whichever badge; or (``badge``) with one badge in all rooms, as of the last one here.
    """

    person: Words
    wrong: int
    until: float
    badge: Words = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who may enter as soon as another one is with him."""

    door: str
    person: str
    badge: str
    pin: bool
    until: float


@dataclass(frozen=True, slots=True)
class AskedPin:
    """Somebody at a reader who is entering his PIN."""

    door: str
    person: str
    badge: str
    digits: str
    until: float


@dataclass(frozen=True, slots=True)
class Recent:
    """A card read a moment ago."""

    door: str
    side: Side
    card: int
    at: float
    index: int | None


@dataclass(frozen=True, slots=True)
class Burst:
    """Reads on the way in at one door since ``since``, and how many of them were dropped."""

    door: str
    since: float
    reads: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class ContactChatter:
    """Changes of a contact since ``since``; ``open``: what it said last.

    ``began``: since when it flutters (``None``: it does not), or was last written about; ``total``: changes since then,
    but for ``changes``.
    """

    door: str
    since: float
    changes: int = 0
    open: bool = False
    began: float | None = None
    total: int = 0


@dataclass(frozen=True, slots=True)
class Fleeting:
    """What no restart keeps."""

    waiting: tuple[Waiting, ...] = ()
    asked: tuple[AskedPin, ...] = ()
    recent: tuple[Recent, ...] = ()
    bursts: tuple[Burst, ...] = ()
    flutters: tuple[ContactChatter, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomState:
    """One room's panel. ``count``: releases asked so far; ``latest``: the latest instant it was told.

    ``unseen``: how many have gone out by the button since the list was last put right: it may name too many.
    """

    occupants: tuple[Occupant, ...] = ()
    passages: tuple[PendingRelease, ...] = ()
    alarms: tuple[OpenAlarm, ...] = ()
    doors: tuple[DoorPosition, ...] = ()
    pins: tuple[PinCount, ...] = ()
    count: int = 0
    latest: float = 0.0
    unseen: int = 0
    fleeting: Fleeting = Fleeting()

    def door(self, name: str) -> DoorPosition:
        """Return what is known of a door; nothing yet is a state too."""
        return next((door for door in self.doors if door.door == name), DoorPosition(name))

    def inside(self) -> frozenset[str]:
        """Return who is inside for certain."""
        return frozenset(one.person for one in self.occupants if one.sure)


def state_to_json(state: RoomState) -> str:
    """Return *state* without what is fleeting, as one line of JSON."""
    return dumps(replace(state, fleeting=Fleeting()), version=VERSION).decode()


def state_from_json(text: str) -> RoomState:
    """Return the state written by :func:`state_to_json`; raise :class:`InvalidMessageError` for any other text."""
    value = loads(text.encode("utf-8", "surrogatepass"))
    if value.pop("version", None) != VERSION or "fleeting" in value:
        raise InvalidMessageError("not the state of a room as this version writes it")
    state = read(RoomState, value)
    if any(alarm.kind not in set(AlarmKind) for alarm in state.alarms):
        raise InvalidMessageError("an alarm of no known kind")
    return state
