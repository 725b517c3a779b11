"""What crosses between a door and whoever decides about it, as frozen data: what happened, and what to do.

Rules of this file: data only. The shapes in :data:`SAID` come from the wires, through the doors process, and are
bounded field by field, because that process faces networks; those in :data:`DONE` go back to it. Both are JSON objects
whose first member, ``said`` or ``do``, names the shape. Instants are seconds since 1970 UTC; a card is its number as
read. What only the control process and the panel say to each other stands in :mod:`agent.rooms.panel.events` and
:mod:`agent.rooms.panel.effects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from agent.doors.codec import InvalidMessageError, Json, Within, read
from rules.text import Text

Side = Literal["in", "out"]  # the reader one shows a badge to on the way in; on the way out
Led = Literal["", "green", "red", "amber", "off"]  # "": leave it as it is
Buzzer = Literal["", "once", "twice", "alarm", "off"]

Name = Annotated[str, Within(1, 100)]  # of a door or a room
Id = Annotated[str, Within(1, 160)]  # of one release
Instant = Annotated[float, Within(0, 253_402_300_799)]  # up to the year 9999
Seconds = Annotated[float, Within(0, 3600)]
Card = Annotated[int, Within(0, 2**64 - 1)]
LONGEST_TEXT = 32  # characters a reader's display takes (IEC 60839-11-5, osdp_TEXT)


# --- what happened ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
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
    bits: Annotated[int, Within(0, 1024)] = 0
    facility: Annotated[int, Within(0, 2**32 - 1)] | None = None
    raw: Annotated[str, Within(0, 256)] = ""
    index: Annotated[int, Within(0, 2**32 - 1)] | None = None


@dataclass(frozen=True, slots=True)
class KeyPress:
    """Keys were pressed: digits, ``#`` to finish, ``*`` to start over; one or several at a time."""

    door: Name
    side: Side
    digits: Annotated[str, Within(1, 32)]
    secure: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """The door is open, or closed. Said when it changes, and once after every start of the doors process.

    ``stale``: it was so earlier, while nobody listened; how it is now is said in another word.
    """

    door: Name
    open: bool
    stale: bool = False


@dataclass(frozen=True, slots=True)
class RequestToExit:
    """Request to exit: the button inside was pressed; ``stale``: earlier, while nobody listened."""

    door: Name
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Tamper:
    """A reader's housing was opened, or is closed again."""

    door: Name
    side: Side
    active: bool


@dataclass(frozen=True, slots=True)
class Power:
    """The power of a door's reader or board failed, or is back."""

    door: Name
    failed: bool


@dataclass(frozen=True, slots=True)
class Online:
    """A reader or board is there, or not; ``secure``: over an authenticated wire. ``why`` it is not there."""

    door: Name
    side: Side
    address: Annotated[str, Within(0, 200)]
    online: bool
    secure: bool
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """The strike was released, or not and ``why``; the answer to one :class:`Release`.

    ``confirmed`` is false where the device said so and does not show it: a board whose lock does not read as open.
    """

    id: Id
    ok: bool
    why: Text | None = None
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A board decided by itself, as it does while it hears nothing: ``granted`` says what."""

    door: Name
    card: Card
    granted: bool
    reason: Annotated[int, Within(0, 255)]
    stale: bool = False


Said = Read | KeyPress | Contact | RequestToExit | Tamper | Power | Online | Released | OwnDecision
SAID: Mapping[str, type[Said]] = MappingProxyType(
    {
        "read": Read,
        "key": KeyPress,
        "contact": Contact,
        "rex": RequestToExit,
        "tamper": Tamper,
        "power": Power,
        "online": Online,
        "released": Released,
        "own-decision": OwnDecision,
    }
)


# --- what to do ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Release:
    """Release the strike for ``seconds``. Sent only after the entry it rests on is in the log (contract C2)."""

    id: Id
    door: Name
    side: Side
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Refuse:
    """Show at the reader that nobody is let in, and say why in at most :data:`LONGEST_TEXT` characters."""

    door: Name
    side: Side
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """Light, sound or text at a reader; what is empty stays as it is."""

    door: Name
    side: Side
    led: Led = ""
    buzzer: Buzzer = ""
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Flush:
    """Drop every command for the door that has not gone out: a release that waits must not outlive its reason."""

    door: Name


Do = Release | Refuse | Signal | Flush
DONE: Mapping[str, type[Do]] = MappingProxyType(
    {"release": Release, "refuse": Refuse, "signal": Signal, "flush": Flush}
)


def said(frame: Mapping[str, Json]) -> Said:
    """Return what a frame of the doors process says. Raises :class:`agent.doors.codec.InvalidMessageError`."""
    found: Said = _shape(SAID, "said", frame)
    return found


def done(frame: Mapping[str, Json]) -> Do:
    """Return what a frame to the doors process asks for. Raises :class:`agent.doors.codec.InvalidMessageError`."""
    found: Do = _shape(DONE, "do", frame)
    return found


def name_of(word: Said | Do) -> str:
    """Return what stands in ``said`` or ``do`` for *word*."""
    return _NAMES[type(word)]


_NAMES: Mapping[type, str] = {kind: name for table in (SAID, DONE) for name, kind in table.items()}


def _shape(table: Mapping[str, type[Any]], member: str, frame: Mapping[str, Json]) -> Any:
    kind = table.get(frame[member]) if isinstance(frame.get(member), str) else None
    if kind is None:
        raise InvalidMessageError(f"no `{member}` that is known")
    return read(kind, {name: value for name, value in frame.items() if name != member})
