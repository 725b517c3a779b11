"""What one room's panel remembers, and how it is kept over a restart.

Rules of this file: data only, and every list in it is bounded. What a restart must not lose is written as JSON of a
stated version; what it must not keep (digits of a PIN half entered, somebody waiting for a second) is
:class:`Fleeting` and is never written. Instants are seconds since 1970 UTC.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import replace

from agent.doors.codec import InvalidMessageError, Message, decoder, encode
from agent.doors.messages import Side
from agent.rooms.panel.effects import AlarmKind

VERSION: Final = 1
MOST_PASSAGES = 32  # releases not settled yet
MOST_ALARMS = 256  # remembered, so that one condition is one alarm
MOST_PIN_COUNTS = 256
MOST_WAITING = 8
MOST_RECENT = 64  # reads remembered for duplicates

Words = Annotated[str, msgspec.Meta(max_length=1000)]
StoredInstant = Annotated[float, msgspec.Meta(gt=-(2**53), lt=2**53)]  # seconds beyond that a float cannot count


class Occupant(Message, frozen=True):
    """Somebody inside. ``sure``: the strike or the contact bears it out. ``escort``: who must be inside with them."""

    person: Words
    badge: Words
    door: Words
    since: StoredInstant
    sure: bool = True
    escort: Words = ""


class Passer(Message, frozen=True):
    """Somebody a release is for."""

    person: Words
    badge: Words
    escort: Words = ""


class PendingRelease(Message, frozen=True):
    """A release that is not settled. ``answered``: the strike did it; ``opened``: the door was seen to open.

    ``confirmed``: the strike was also seen to do it. ``blind``: the agent was away, so a closed door proves nothing.
    """

    id: Words
    door: Words
    side: Side
    people: tuple[Passer, ...]
    at: StoredInstant
    until: StoredInstant
    answered: bool = False
    opened: bool = False
    blind: bool = False
    confirmed: bool = True


class OpenAlarm(Message, frozen=True):
    """An alarm raised. ``over``: its condition has ended; ``seen``: somebody acknowledged it. Both end it.

    ``times``: how often it began within a minute; beyond :data:`agent.rooms.panel.step.MOST_TIMES` that is told no
    more.
    """

    kind: AlarmKind
    door: Words
    person: Words
    at: StoredInstant
    over: bool = False
    seen: bool = False
    times: int = 1


class DoorPosition(Message, frozen=True):
    """One door. ``open`` is ``None`` before it ever said; ``free_until``: till then it may open without alarm."""

    door: Words
    open: bool | None = None
    since: StoredInstant = 0.0
    free_until: StoredInstant = 0.0
    tampered: tuple[Side, ...] = ()
    offline: tuple[Side, ...] = ()


class PinCount(Message, frozen=True):
    """Wrong PINs in a row; ``until``: when they are forgotten.

    Of a person in this room, with whichever badge; or (``badge``) with one badge in all rooms, as of the last one here.
    """

    person: Words
    wrong: int
    until: StoredInstant
    badge: Words = ""


class Waiting(Message, frozen=True):
    """Somebody who may enter as soon as another one is with them."""

    door: str
    person: str
    badge: str
    pin: bool
    until: float


class AskedPin(Message, frozen=True):
    """Somebody at a reader who is entering their PIN."""

    door: str
    person: str
    badge: str
    digits: str
    until: float


class Recent(Message, frozen=True):
    """A card read a moment ago."""

    door: str
    side: Side
    card: int
    at: float
    index: int | None


class Burst(Message, frozen=True):
    """Reads on the way in at one door since ``since``, and how many of them were dropped."""

    door: str
    since: float
    reads: int = 0
    dropped: int = 0


class ContactChatter(Message, frozen=True):
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


class Fleeting(Message, frozen=True):
    """What no restart keeps."""

    waiting: tuple[Waiting, ...] = ()
    asked: tuple[AskedPin, ...] = ()
    recent: tuple[Recent, ...] = ()
    bursts: tuple[Burst, ...] = ()
    flutters: tuple[ContactChatter, ...] = ()


_NOTHING = Fleeting()


class RoomState(Message, frozen=True, tag_field="version", tag=VERSION):
    """One room's panel. ``count``: releases asked so far; ``latest``: the latest instant it was told.

    ``unseen``: how many have gone out by the button since the list was last put right: it may name too many.
    """

    occupants: tuple[Occupant, ...] = ()
    passages: tuple[PendingRelease, ...] = ()
    alarms: tuple[OpenAlarm, ...] = ()
    doors: tuple[DoorPosition, ...] = ()
    pins: tuple[PinCount, ...] = ()
    count: int = 0
    latest: StoredInstant = 0.0
    unseen: int = 0
    fleeting: Fleeting = _NOTHING

    def door(self, name: str) -> DoorPosition:
        """Return what is known of a door; nothing yet is a state too."""
        return next((door for door in self.doors if door.door == name), DoorPosition(name))

    def inside(self) -> frozenset[str]:
        """Return who is inside for certain."""
        return frozenset(one.person for one in self.occupants if one.sure)


class _Header(msgspec.Struct):
    version: Literal[1]  # of a state alone msgspec takes the absence of a tag for its right value


_header = decoder(_Header)
_state = decoder(RoomState)


def encode_state(state: RoomState) -> str:
    """Return *state* without what is fleeting, as one line of JSON."""
    return encode(replace(state, fleeting=_NOTHING)).decode()


def decode_state(text: str) -> RoomState:
    """Return the state written by :func:`encode_state`; raise :class:`InvalidMessageError` for any other text."""
    _header(text)
    state: RoomState = _state(text)
    if state.fleeting is not _NOTHING:
        raise InvalidMessageError("a state that keeps what no restart does")
    return state
