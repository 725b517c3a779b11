"""Frames between the control process and the doors process: one frozen object each.

Rules of this file: shapes only. Events at a door and commands to it are in :mod:`agent.doors.messages`; this module
holds the rest: setup of doors, badges on boards, keys of readers, health. A frame crosses as one JSON object,
``{"do": WORD, …}`` to the doors process and ``{"said": WORD, …}`` from it; members are named as the fields, defaults
are omitted. Every text, list and number has a bound, so a compromised doors process can send nothing else. Addresses
are strings that :func:`agent.doors.address.parse` reads.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, field

from agent.doors import messages
from agent.doors.codec import WireStruct
from agent.doors.messages import DoFrame, Id, Name, SaidFrame, Side
from rules.text import Message

AddressText = Annotated[str, Meta(min_length=1, max_length=200)]
KeyHex = Annotated[str, Meta(min_length=32, max_length=32)]  # 16 bytes
BoardCard = Annotated[int, Meta(ge=1, le=2**32 - 2)]  # 0 and 2³²-1 mean "none" and "deleted" on a board
Serial = Annotated[int, Meta(ge=1, le=2**32 - 1)]
SerialText = Annotated[str, Meta(min_length=1, max_length=10)]  # names of JSON members are texts
Index = Annotated[int, Meta(ge=0, le=2**32 - 1)]

MOST_CARDS = 500  # in one frame


# --- to the doors process --------------------------------------------------------------------------------------------


class ReaderSetup(WireStruct, frozen=True):
    """One reader of a door: ``in`` is the entry reader, ``out`` the exit reader. Of a board: its own direction."""

    side: Side
    address: AddressText


class StrikeSetup(WireStruct, frozen=True):
    """The strike: an output of the device at ``address``. A board has one for each door and ignores ``output``."""

    address: AddressText
    output: Annotated[int, Meta(ge=0, le=255)] = 0


class DoorSetup(WireStruct, frozen=True):
    """One door. ``strike_seconds``: how long it stays unlocked; OSDP counts to 25.5, boards in whole seconds to 255."""

    door: Name
    readers: Annotated[tuple[ReaderSetup, ...], Meta(min_length=1, max_length=4)]
    strike: StrikeSetup
    strike_seconds: Annotated[float, Meta(ge=0.1, le=255)] = 5.0


class Configure(DoFrame, frozen=True, tag="configure"):
    """The configuration of all doors. Sent first and after every change; unchanged parts are not disturbed.

    ``keys``: address → Secure Channel keys of the reader, to be tried in this order. ``listen``: ``IPv4:PORT``, the one
    address boards send events to, required where there are boards; port 0 takes any. ``seen``: serial number → index of
    the last event control knows; a board without one starts with new events. ``offset``: seconds east of UTC of the
    site's wall clock, which boards show and by which they count days.
    """

    doors: Annotated[tuple[DoorSetup, ...], Meta(max_length=500)]
    keys: Annotated[
        Mapping[AddressText, Annotated[tuple[KeyHex, ...], Meta(min_length=1, max_length=2)]], Meta(max_length=2000)
    ] = field(default_factory=dict)
    listen: Annotated[str, Meta(max_length=60)] = ""
    seen: Annotated[Mapping[SerialText, Index], Meta(max_length=500)] = field(default_factory=dict)
    offset: Annotated[int, Meta(ge=-86400, le=86400)] = 0


class BoardBadge(WireStruct, frozen=True):
    """A card to store on a board, and its end date (``YYYY-MM-DD``). It is always stored without any right."""

    card: BoardCard
    until: Annotated[str, Meta(min_length=10, max_length=10)]


class Cards(DoFrame, frozen=True, tag="cards"):
    """Cards to store on and to delete from boards; all boards when none is named. :class:`CardStates` follow."""

    id: Id
    put: Annotated[tuple[BoardBadge, ...], Meta(max_length=MOST_CARDS)] = ()
    gone: Annotated[tuple[BoardCard, ...], Meta(max_length=MOST_CARDS)] = ()
    boards: Annotated[tuple[Serial, ...], Meta(max_length=500)] = ()


class Sweep(DoFrame, frozen=True, tag="sweep"):
    """Delete from every board the cards no :class:`Cards` of this run stored. :class:`Swept` follows from each."""

    id: Id


class Commission(DoFrame, frozen=True, tag="commission"):
    """Install the first key on a reader in install mode. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


class Rekey(DoFrame, frozen=True, tag="rekey"):
    """Change the key of a reader that is online. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


class Ping(DoFrame, frozen=True, tag="ping"):
    """A health check. :class:`Pong` follows."""

    id: Id


ToDoors = messages.Do | Configure | Cards | Sweep | Commission | Rekey | Ping


# --- from the doors process ------------------------------------------------------------------------------------------


class Heard(SaidFrame, frozen=True, tag="heard"):
    """Every event of the board up to ``index`` has been reported: the ``seen`` of the next :class:`Configure`."""

    board: Serial
    index: Index


class CardStates(SaidFrame, frozen=True, tag="cards"):
    """The states of the cards of request ``id`` as read back from one board.

    ``pending`` cards are retried, and reported again under the same ``id`` once they are confirmed.
    """

    id: Id
    board: Serial
    confirmed: Annotated[tuple[BoardCard, ...], Meta(max_length=2 * MOST_CARDS)] = ()
    pending: Annotated[tuple[BoardCard, ...], Meta(max_length=2 * MOST_CARDS)] = ()
    why: Message | None = None


class Swept(SaidFrame, frozen=True, tag="swept"):
    """The result of a sweep of one board. ``removed``: unknown cards deleted. ``ok=False``: the sweep is incomplete."""

    id: Id
    board: Serial
    ok: bool
    removed: Annotated[tuple[BoardCard, ...], Meta(max_length=MOST_CARDS)] = ()
    why: Message | None = None


class Keyed(SaidFrame, frozen=True, tag="keyed"):
    """The outcome of a :class:`Commission` or :class:`Rekey`: the reader uses the new key, or not, and ``why``."""

    id: Id
    ok: bool
    why: Message | None = None


class ReaderKey(SaidFrame, frozen=True, tag="reader-key"):
    """The fingerprint of the key a reader uses; sent whenever it comes online."""

    address: AddressText
    key: Annotated[str, Meta(min_length=1, max_length=64)]


class Lost(SaidFrame, frozen=True, tag="lost"):
    """The number of frames of ``door`` dropped for overload since the last such report."""

    door: Annotated[str, Meta(max_length=100)]
    frames: Annotated[int, Meta(ge=1, le=2**53)]


class Trouble(SaidFrame, frozen=True, tag="trouble"):
    """A fault to report to people. ``door`` is empty when it does not concern one door."""

    text: Message
    door: Annotated[str, Meta(max_length=100)] = ""


class Pong(SaidFrame, frozen=True, tag="pong"):
    """The answer to :class:`Ping`. ``worn``: the process should be restarted at a quiet moment."""

    id: Id
    worn: bool = False


FromDoors = messages.Said | Heard | CardStates | Swept | Keyed | ReaderKey | Lost | Trouble | Pong
