"""State of one room's panel, and its storage across a restart.

Rules of this file: data only, and every list in it is bounded. Lasting state is written as JSON of a stated version;
state a restart must not keep (digits of a partly entered PIN, a person waiting for a second) is :class:`Fleeting` and
is never written. Instants are seconds since 1970 UTC.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import replace

from agent.doors.codec import InvalidMessageError, WireStruct, decoder, encode
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


class Occupant(WireStruct, frozen=True):
    """A person inside. ``sure``: borne out by strike or contact. ``escort``: who must be inside with them."""

    person: Words
    badge: Words
    door: Words
    since: StoredInstant
    sure: bool = True
    escort: Words = ""


class Passer(WireStruct, frozen=True):
    """A person a release is for."""

    person: Words
    badge: Words
    escort: Words = ""


class PendingRelease(WireStruct, frozen=True):
    """A release that is not settled. ``answered``: the strike reported it; ``opened``: the contact reported it.

    ``confirmed``: the lock also read as open. ``blind``: the agent was not running, so a closed door proves nothing.
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


class OpenAlarm(WireStruct, frozen=True):
    """A raised alarm. ``over``: its condition has ended; ``seen``: it was acknowledged. Both together close it.

    ``times``: how often it began within a minute; beyond :data:`agent.rooms.panel.step.MOST_TIMES` it is not reported.
    """

    kind: AlarmKind
    door: Words
    person: Words
    at: StoredInstant
    over: bool = False
    seen: bool = False
    times: int = 1


class DoorPosition(WireStruct, frozen=True):
    """One door. ``open`` is ``None`` before the first report; ``free_until``: until then it may open without alarm."""

    door: Words
    open: bool | None = None
    since: StoredInstant = 0.0
    free_until: StoredInstant = 0.0
    tampered: tuple[Side, ...] = ()
    offline: tuple[Side, ...] = ()


class PinCount(WireStruct, frozen=True):
    """Consecutive wrong PINs; ``until``: time of expiry.

    Of a person in this room, with any badge; or (``badge``) with one badge in all rooms, as of the last one here.
    """

    person: Words
    wrong: int
    until: StoredInstant
    badge: Words = ""


class Waiting(WireStruct, frozen=True):
    """A person who may enter as soon as another one is with them."""

    door: str
    person: str
    badge: str
    pin: bool
    until: float


class AskedPin(WireStruct, frozen=True):
    """A person at a reader who is entering their PIN."""

    door: str
    person: str
    badge: str
    digits: str
    until: float


class Recent(WireStruct, frozen=True):
    """A card read a moment ago."""

    door: str
    side: Side
    card: int
    at: float
    index: int | None


class Burst(WireStruct, frozen=True):
    """Reads on the way in at one door since ``since``, and how many of them were dropped."""

    door: str
    since: float
    reads: int = 0
    dropped: int = 0


class ContactChatter(WireStruct, frozen=True):
    """Changes of a contact since ``since``; ``open``: its last state.

    ``began``: start of the chatter (``None``: there is none), or its last log entry; ``total``: changes since then,
    except ``changes``.
    """

    door: str
    since: float
    changes: int = 0
    open: bool = False
    began: float | None = None
    total: int = 0


class Fleeting(WireStruct, frozen=True):
    """The state that does not outlive a restart."""

    waiting: tuple[Waiting, ...] = ()
    pin_attempts: tuple[AskedPin, ...] = ()
    recent: tuple[Recent, ...] = ()
    bursts: tuple[Burst, ...] = ()
    flutters: tuple[ContactChatter, ...] = ()


_NOTHING = Fleeting()


class RoomState(WireStruct, frozen=True, tag_field="version", tag=VERSION):
    """The state of one room's panel. ``count``: number of releases so far; ``latest``: the latest time it was given.

    ``unseen``: exits by the button since the list was last corrected: the list may name that many too many.
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
        """Return the state of a door; a default one before its first report."""
        return next((door for door in self.doors if door.door == name), DoorPosition(name))

    def inside(self) -> frozenset[str]:
        """Return the persons who are inside for certain."""
        return frozenset(occupant.person for occupant in self.occupants if occupant.sure)


class _Header(msgspec.Struct):
    version: Literal[1]  # with a single type msgspec accepts a missing tag


_header = decoder(_Header)
_state = decoder(RoomState)


def encode_state(state: RoomState) -> str:
    """Return *state* without :class:`Fleeting`, as one line of JSON."""
    return encode(replace(state, fleeting=_NOTHING)).decode()


def decode_state(text: str) -> RoomState:
    """Return the state written by :func:`encode_state`. Raises :class:`InvalidMessageError` for any other text."""
    _header(text)
    state: RoomState = _state(text)
    if state.fleeting is not _NOTHING:
        raise InvalidMessageError("a state that keeps what no restart does")
    return state
