"""Everything the control process and the doors process say to each other: one frozen object a frame.

Rules of this file: shapes only. What happens at a door and what to do there are the words of
:mod:`agent.doors.messages`; here is the rest: how doors are set up, badges on boards, keys of readers, health. A frame
crosses as one JSON object, ``{"do": WORD, …}`` to the doors process and ``{"said": WORD, …}`` from it, members named as
the fields, defaults left out. Every text, list and number has a bound: a doors process that was taken over can say
nothing that is none of these. Addresses are strings that :func:`agent.doors.address.parse` reads.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, field

from agent.doors import messages
from agent.doors.codec import Message
from agent.doors.messages import DoFrame, Id, Name, SaidFrame, Side
from rules.text import Text

AddressText = Annotated[str, Meta(min_length=1, max_length=200)]
KeyHex = Annotated[str, Meta(min_length=32, max_length=32)]  # 16 bytes
BoardCard = Annotated[int, Meta(ge=1, le=2**32 - 2)]  # 0 and 2³²-1 mean "none" and "deleted" on a board
Serial = Annotated[int, Meta(ge=1, le=2**32 - 1)]
SerialText = Annotated[str, Meta(min_length=1, max_length=10)]  # names of JSON members are texts
Index = Annotated[int, Meta(ge=0, le=2**32 - 1)]

MOST_CARDS = 500  # in one frame


# --- to the doors process --------------------------------------------------------------------------------------------


class ReaderSetup(Message, frozen=True):
    """One reader of a door: ``in`` is outside and lets people in, ``out`` is inside. Of a board: its own direction."""

    side: Side
    address: AddressText


class StrikeSetup(Message, frozen=True):
    """What unlocks: an output of the device at ``address``. A board has one for each door and ignores ``output``."""

    address: AddressText
    output: Annotated[int, Meta(ge=0, le=255)] = 0


class DoorSetup(Message, frozen=True):
    """One door. ``strike_seconds``: how long it stays unlocked; OSDP counts to 25.5, boards in whole seconds to 255."""

    door: Name
    readers: Annotated[tuple[ReaderSetup, ...], Meta(min_length=1, max_length=4)]
    strike: StrikeSetup
    strike_seconds: Annotated[float, Meta(ge=0.1, le=255)] = 5.0


class Configure(DoFrame, frozen=True, tag="configure"):
    """All doors there are. Sent first, and again when something changed; what is the same is left alone.

    ``keys``: address → Secure Channel keys of the reader, to be tried in this order. ``listen``: ``IPv4:PORT``, the one
    address boards send events to, needed where there are boards; port 0 takes any. ``seen``: serial number → index of
    the last event control knows; a board that is not there begins with what happens from now on. ``offset``: seconds
    east of UTC of the site's wall clock, which boards show and by which they count days.
    """

    doors: Annotated[tuple[DoorSetup, ...], Meta(max_length=500)]
    keys: Annotated[
        Mapping[AddressText, Annotated[tuple[KeyHex, ...], Meta(min_length=1, max_length=2)]], Meta(max_length=2000)
    ] = field(default_factory=dict)
    listen: Annotated[str, Meta(max_length=60)] = ""
    seen: Annotated[Mapping[SerialText, Index], Meta(max_length=500)] = field(default_factory=dict)
    offset: Annotated[int, Meta(ge=-86400, le=86400)] = 0


class BoardBadge(Message, frozen=True):
    """A card a board has to know, and the last day it does (``YYYY-MM-DD``). No board gets a right with it, ever."""

    card: BoardCard
    until: Annotated[str, Meta(min_length=10, max_length=10)]


class Cards(DoFrame, frozen=True, tag="cards"):
    """Cards to store on and to take from boards; all boards when none is named. :class:`CardStates` follow."""

    id: Id
    put: Annotated[tuple[BoardBadge, ...], Meta(max_length=MOST_CARDS)] = ()
    gone: Annotated[tuple[BoardCard, ...], Meta(max_length=MOST_CARDS)] = ()
    boards: Annotated[tuple[Serial, ...], Meta(max_length=500)] = ()


class Sweep(DoFrame, frozen=True, tag="sweep"):
    """Take from every board what no :class:`Cards` of this run put there. :class:`Swept` follows from each."""

    id: Id


class Commission(DoFrame, frozen=True, tag="commission"):
    """Give a reader in install mode its key. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


class Rekey(DoFrame, frozen=True, tag="rekey"):
    """Give a reader that is online another key. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


class Ping(DoFrame, frozen=True, tag="ping"):
    """Are you alive? :class:`Pong` follows."""

    id: Id


ToDoors = messages.Do | Configure | Cards | Sweep | Commission | Rekey | Ping


# --- from the doors process ------------------------------------------------------------------------------------------


class Heard(SaidFrame, frozen=True, tag="heard"):
    """Every event of the board up to ``index`` has been said: the ``seen`` of the next :class:`Configure`."""

    board: Serial
    index: Index


class CardStates(SaidFrame, frozen=True, tag="cards"):
    """What reading back from one board proved about cards of the request ``id``.

    ``pending`` ones are tried again and again, and said again, with the same ``id``, when they are confirmed.
    """

    id: Id
    board: Serial
    confirmed: Annotated[tuple[BoardCard, ...], Meta(max_length=2 * MOST_CARDS)] = ()
    pending: Annotated[tuple[BoardCard, ...], Meta(max_length=2 * MOST_CARDS)] = ()
    why: Text | None = None


class Swept(SaidFrame, frozen=True, tag="swept"):
    """A board was looked through. ``removed``: cards nobody had put there, gone now. ``ok=False``: not to the end."""

    id: Id
    board: Serial
    ok: bool
    removed: Annotated[tuple[BoardCard, ...], Meta(max_length=MOST_CARDS)] = ()
    why: Text | None = None


class Keyed(SaidFrame, frozen=True, tag="keyed"):
    """The reader came back under the key of that :class:`Commission` or :class:`Rekey`, or why not."""

    id: Id
    ok: bool
    why: Text | None = None


class ReaderKey(SaidFrame, frozen=True, tag="reader-key"):
    """A reader is online under the key with this fingerprint; said whenever it comes online."""

    address: AddressText
    key: Annotated[str, Meta(min_length=1, max_length=64)]


class Lost(SaidFrame, frozen=True, tag="lost"):
    """There was too much to say: so many frames of ``door`` were dropped since this was said last."""

    door: Annotated[str, Meta(max_length=100)]
    frames: Annotated[int, Meta(ge=1, le=2**53)]


class Trouble(SaidFrame, frozen=True, tag="trouble"):
    """Something a person should know. ``door`` is empty when it concerns no single one."""

    text: Text
    door: Annotated[str, Meta(max_length=100)] = ""


class Pong(SaidFrame, frozen=True, tag="pong"):
    """The answer to :class:`Ping`. ``worn``: the process should be started anew at a quiet moment."""

    id: Id
    worn: bool = False


FromDoors = messages.Said | Heard | CardStates | Swept | Keyed | ReaderKey | Lost | Trouble | Pong
