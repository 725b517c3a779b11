"""Messages between the doors and the control process, as frozen data: events at a door, and commands to it.

Rules of this file: data only. Events (:data:`Said`) come from the wires, through the doors process, and are bounded
field by field, because that process faces networks; commands (:data:`Do`) go back to it. Both are JSON objects in which
``said`` or ``do`` names the shape. Instants are seconds since 1970 UTC; a card is its number as read. Messages between
the control process and the panel only are in :mod:`agent.rooms.panel.events` and :mod:`agent.rooms.panel.effects`.
"""

from typing import Annotated, Literal

from msgspec import Meta

from agent.doors.codec import WireStruct
from rules.text import Message

Side = Literal["in", "out"]  # the entry reader, the exit reader
Led = Literal["", "green", "red", "amber", "off"]  # "": unchanged
Buzzer = Literal["", "once", "twice", "alarm", "off"]

Name = Annotated[str, Meta(min_length=1, max_length=100)]  # of a door or a room
Id = Annotated[str, Meta(min_length=1, max_length=160)]  # of one release
Instant = Annotated[float, Meta(ge=0, le=253_402_300_799)]  # up to the year 9999
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Card = Annotated[int, Meta(ge=0)]  # and at most 64 bits: agent.doors.codec.MOST
LONGEST_TEXT = 32  # characters a reader's display takes (IEC 60839-11-5, osdp_TEXT)


class SaidFrame(WireStruct, frozen=True, tag_field="said"):
    """Base of frames from the doors process."""


class DoFrame(WireStruct, frozen=True, tag_field="do"):
    """Base of frames to the doors process."""


# --- events ----------------------------------------------------------------------------------------------------------


class Read(SaidFrame, frozen=True, tag="read"):
    """A card read. ``bits`` and ``facility`` as decoded, ``raw`` as read, in hex; ``index``: event index of the board.

    ``secure``: it came over an authenticated wire (an OSDP secure channel), or was fetched from the board.
    ``stale``: it may have waited in the reader; ``at``: time of arrival by this host's clock.
    """

    door: Name
    side: Side
    card: Card
    at: Instant
    secure: bool
    stale: bool = False
    bits: Annotated[int, Meta(ge=0, le=1024)] = 0
    facility: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    raw: Annotated[str, Meta(max_length=256)] = ""
    index: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None


class KeyPress(SaidFrame, frozen=True, tag="key"):
    """Pressed keys: digits, ``#`` to finish, ``*`` to start over; one or several at a time."""

    door: Name
    side: Side
    digits: Annotated[str, Meta(min_length=1, max_length=32)]
    secure: bool = False
    stale: bool = False


class Contact(SaidFrame, frozen=True, tag="contact"):
    """The door contact: open or closed. Sent on change, and once after every start of the doors process.

    ``stale``: an earlier state, recorded while nobody listened; the present state comes in a frame of its own.
    """

    door: Name
    open: bool
    stale: bool = False


class RequestToExit(SaidFrame, frozen=True, tag="rex"):
    """Request to exit: the exit button was pressed; ``stale``: earlier, while nobody listened."""

    door: Name
    stale: bool = False


class Tamper(SaidFrame, frozen=True, tag="tamper"):
    """A reader's housing was opened, or is closed again."""

    door: Name
    side: Side
    active: bool


class Power(SaidFrame, frozen=True, tag="power"):
    """The power of a door's reader or board failed, or is back."""

    door: Name
    failed: bool


class Online(SaidFrame, frozen=True, tag="online"):
    """A reader or board went online or offline; ``secure``: over an authenticated wire. ``why``: reason for offline."""

    door: Name
    side: Side
    address: Annotated[str, Meta(max_length=200)]
    online: bool
    secure: bool
    why: Message | None = None


class Released(SaidFrame, frozen=True, tag="released"):
    """The answer to one :class:`Release`: the strike was released, or not, and ``why``.

    ``confirmed`` is false where the device reports success without proof: a board whose lock does not read as open.
    """

    id: Id
    ok: bool
    why: Message | None = None
    confirmed: bool = True


class OwnDecision(SaidFrame, frozen=True, tag="own-decision"):
    """A decision a board took by itself, as it does without contact to the agent; ``granted``: it admitted the card."""

    door: Name
    card: Card
    granted: bool
    reason: Annotated[int, Meta(ge=0, le=255)]
    stale: bool = False


Said = Read | KeyPress | Contact | RequestToExit | Tamper | Power | Online | Released | OwnDecision


# --- commands --------------------------------------------------------------------------------------------------------


class Release(DoFrame, frozen=True, tag="release"):
    """Release the strike for ``seconds``. Sent only after the entry it rests on is in the log (contract C2)."""

    id: Id
    door: Name
    side: Side
    seconds: Seconds


class Refuse(DoFrame, frozen=True, tag="refuse"):
    """Show a denial at the reader, with a reason of at most :data:`LONGEST_TEXT` characters."""

    door: Name
    side: Side
    text: Message | None = None


class Signal(DoFrame, frozen=True, tag="signal"):
    """Light, sound or text at a reader; an empty field leaves it unchanged."""

    door: Name
    side: Side
    led: Led = ""
    buzzer: Buzzer = ""
    text: Message | None = None


class Flush(DoFrame, frozen=True, tag="flush"):
    """Drop every unsent command for the door: a waiting release must not outlive its reason."""

    door: Name


Do = Release | Refuse | Signal | Flush
