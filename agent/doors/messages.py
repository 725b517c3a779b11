"""What crosses between a door and whoever decides about it, as frozen data: what happened, and what to do.

Rules of this file: data only. What is :data:`Said` comes from the wires, through the doors process, and is bounded
field by field, because that process faces networks; what to :data:`Do` goes back to it. Both are JSON objects in which
``said`` or ``do`` names the shape. Instants are seconds since 1970 UTC; a card is its number as read. What only the
control process and the panel say to each other stands in :mod:`agent.rooms.panel.events` and
:mod:`agent.rooms.panel.effects`.
"""

from typing import Annotated, Literal

from msgspec import Meta

from agent.doors.codec import Message
from rules.text import Text

Side = Literal["in", "out"]  # the reader one shows a badge to on the way in; on the way out
Led = Literal["", "green", "red", "amber", "off"]  # "": leave it as it is
Buzzer = Literal["", "once", "twice", "alarm", "off"]

Name = Annotated[str, Meta(min_length=1, max_length=100)]  # of a door or a room
Id = Annotated[str, Meta(min_length=1, max_length=160)]  # of one release
Instant = Annotated[float, Meta(ge=0, le=253_402_300_799)]  # up to the year 9999
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Card = Annotated[int, Meta(ge=0)]  # and at most 64 bits: agent.doors.codec.MOST
LONGEST_TEXT = 32  # characters a reader's display takes (IEC 60839-11-5, osdp_TEXT)


class SaidFrame(Message, frozen=True, tag_field="said"):
    """What the doors process says."""


class DoFrame(Message, frozen=True, tag_field="do"):
    """What the doors process is to do."""


# --- what happened ---------------------------------------------------------------------------------------------------


class Read(SaidFrame, frozen=True, tag="read"):
    """A card was shown. ``bits`` and ``facility`` as decoded, ``raw`` as read, in hex; ``index`` is the board's own.

    ``secure``: it came over an authenticated wire (an OSDP secure channel), or was fetched from the board.
    ``stale``: it may have waited in the reader; ``at``: when it arrived, on this machine's clock.
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
    """Keys were pressed: digits, ``#`` to finish, ``*`` to start over; one or several at a time."""

    door: Name
    side: Side
    digits: Annotated[str, Meta(min_length=1, max_length=32)]
    secure: bool = False
    stale: bool = False


class Contact(SaidFrame, frozen=True, tag="contact"):
    """The door is open, or closed. Said when it changes, and once after every start of the doors process.

    ``stale``: it was so earlier, while nobody listened; how it is now is said in another word.
    """

    door: Name
    open: bool
    stale: bool = False


class RequestToExit(SaidFrame, frozen=True, tag="rex"):
    """Request to exit: the button inside was pressed; ``stale``: earlier, while nobody listened."""

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
    """A reader or board is there, or not; ``secure``: over an authenticated wire. ``why`` it is not there."""

    door: Name
    side: Side
    address: Annotated[str, Meta(max_length=200)]
    online: bool
    secure: bool
    why: Text | None = None


class Released(SaidFrame, frozen=True, tag="released"):
    """The strike was released, or not and ``why``; the answer to one :class:`Release`.

    ``confirmed`` is false where the device said so and does not show it: a board whose lock does not read as open.
    """

    id: Id
    ok: bool
    why: Text | None = None
    confirmed: bool = True


class OwnDecision(SaidFrame, frozen=True, tag="own-decision"):
    """A board decided by itself, as it does while it hears nothing: ``granted`` says what."""

    door: Name
    card: Card
    granted: bool
    reason: Annotated[int, Meta(ge=0, le=255)]
    stale: bool = False


Said = Read | KeyPress | Contact | RequestToExit | Tamper | Power | Online | Released | OwnDecision


# --- what to do ------------------------------------------------------------------------------------------------------


class Release(DoFrame, frozen=True, tag="release"):
    """Release the strike for ``seconds``. Sent only after the entry it rests on is in the log (contract C2)."""

    id: Id
    door: Name
    side: Side
    seconds: Seconds


class Refuse(DoFrame, frozen=True, tag="refuse"):
    """Show at the reader that nobody is let in, and say why in at most :data:`LONGEST_TEXT` characters."""

    door: Name
    side: Side
    text: Text | None = None


class Signal(DoFrame, frozen=True, tag="signal"):
    """Light, sound or text at a reader; what is empty stays as it is."""

    door: Name
    side: Side
    led: Led = ""
    buzzer: Buzzer = ""
    text: Text | None = None


class Flush(DoFrame, frozen=True, tag="flush"):
    """Drop every command for the door that has not gone out: a release that waits must not outlive its reason."""

    door: Name


Do = Release | Refuse | Signal | Flush
