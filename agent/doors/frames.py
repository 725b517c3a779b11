"""Everything the control process and the doors process say to each other: one frozen object a frame.

Rules of this file: shapes only. What happens at a door and what to do there are the words of
:mod:`agent.doors.messages`; here is the rest: how doors are set up, badges on boards, keys of readers, health. A frame
crosses as one JSON object, ``{"do": WORD, …}`` to the doors process and ``{"said": WORD, …}`` from it, members named as
the fields, defaults left out. Every text, list and number has a bound: a doors process that was taken over can say
nothing that is none of these. Addresses are strings that :func:`agent.doors.address.parse` reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from agent.doors import messages
from agent.doors.codec import Within
from agent.doors.messages import Name, Side
from rules.text import Text

Id = Annotated[str, Within(1, 160)]
AddressText = Annotated[str, Within(1, 200)]
KeyHex = Annotated[str, Within(32, 32)]  # 16 bytes
BoardCard = Annotated[int, Within(1, 2**32 - 2)]  # 0 and 2³²-1 mean "none" and "deleted" on a board
Serial = Annotated[int, Within(1, 2**32 - 1)]
SerialText = Annotated[str, Within(1, 10)]  # names of JSON members are texts
Index = Annotated[int, Within(0, 2**32 - 1)]

MOST_CARDS = 500  # in one frame


# --- to the doors process --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReaderSetup:
    """One reader of a door: ``in`` is outside and lets people in, ``out`` is inside. Of a board: its own direction."""

    side: Side
    address: AddressText


@dataclass(frozen=True, slots=True)
class StrikeSetup:
    """What unlocks: an output of the device at ``address``. A board has one for each door and ignores ``output``."""

    address: AddressText
    output: Annotated[int, Within(0, 255)] = 0


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """One door. ``strike_seconds``: how long it stays unlocked; OSDP counts to 25.5, boards in whole seconds to 255."""

    door: Name
    readers: Annotated[tuple[ReaderSetup, ...], Within(1, 4)]
    strike: StrikeSetup
    strike_seconds: Annotated[float, Within(0.1, 255)] = 5.0


@dataclass(frozen=True, slots=True)
class Configure:
    """All doors there are. Sent first, and again when something changed; what is the same is left alone.

    ``keys``: address → Secure Channel keys of the reader, to be tried in this order. ``listen``: ``IPv4:PORT``, the one
    address boards send events to, needed where there are boards; port 0 takes any. ``seen``: serial number → index of
    the last event control knows; a board that is not there begins with what happens from now on. ``offset``: seconds
    east of UTC of the site's wall clock, which boards show and by which they count days.
    """

    doors: Annotated[tuple[DoorSetup, ...], Within(0, 500)]
    keys: Annotated[Mapping[AddressText, Annotated[tuple[KeyHex, ...], Within(1, 2)]], Within(0, 2000)] = field(
        default_factory=dict
    )
    listen: Annotated[str, Within(0, 60)] = ""
    seen: Annotated[Mapping[SerialText, Index], Within(0, 500)] = field(default_factory=dict)
    offset: Annotated[int, Within(-86400, 86400)] = 0


@dataclass(frozen=True, slots=True)
class BoardBadge:
    """A card a board has to know, and the last day it does (``YYYY-MM-DD``). No board gets a right with it, ever."""

    card: BoardCard
    until: Annotated[str, Within(10, 10)]


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards to store on and to take from boards; all boards when none is named. :class:`CardStates` follow."""

    id: Id
    put: Annotated[tuple[BoardBadge, ...], Within(0, MOST_CARDS)] = ()
    gone: Annotated[tuple[BoardCard, ...], Within(0, MOST_CARDS)] = ()
    boards: Annotated[tuple[Serial, ...], Within(0, 500)] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """Take from every board what no :class:`Cards` of this run put there. :class:`Swept` follows from each."""

    id: Id


@dataclass(frozen=True, slots=True)
class Commission:
    """Give a reader in install mode its key. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


@dataclass(frozen=True, slots=True)
class Rekey:
    """Give a reader that is online another key. :class:`Keyed` follows."""

    id: Id
    address: AddressText
    key: KeyHex


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you alive? :class:`Pong` follows."""

    id: Id


ToDoors = messages.Do | Configure | Cards | Sweep | Commission | Rekey | Ping
TO_DOORS: Mapping[str, type[ToDoors]] = MappingProxyType(
    {
        **messages.DONE,
        "configure": Configure,
        "cards": Cards,
        "sweep": Sweep,
        "commission": Commission,
        "rekey": Rekey,
        "ping": Ping,
    }
)

# --- from the doors process ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """Every event of the board up to ``index`` has been said: the ``seen`` of the next :class:`Configure`."""

    board: Serial
    index: Index


@dataclass(frozen=True, slots=True)
class CardStates:
    """What reading back from one board proved about cards of the request ``id``.

    ``pending`` ones are tried again and again, and said again, with the same ``id``, when they are confirmed.
    """

    id: Id
    board: Serial
    confirmed: Annotated[tuple[BoardCard, ...], Within(0, 2 * MOST_CARDS)] = ()
    pending: Annotated[tuple[BoardCard, ...], Within(0, 2 * MOST_CARDS)] = ()
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """A board was looked through. ``removed``: cards nobody had put there, gone now. ``ok=False``: not to the end."""

    id: Id
    board: Serial
    ok: bool
    removed: Annotated[tuple[BoardCard, ...], Within(0, MOST_CARDS)] = ()
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """The reader came back under the key of that :class:`Commission` or :class:`Rekey`, or why not."""

    id: Id
    ok: bool
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class ReaderKey:
    """A reader is online under the key with this fingerprint; said whenever it comes online."""

    address: AddressText
    key: Annotated[str, Within(1, 64)]


@dataclass(frozen=True, slots=True)
class Lost:
    """There was too much to say: so many frames of ``door`` were dropped since this was said last."""

    door: Annotated[str, Within(0, 100)]
    frames: Annotated[int, Within(1, 2**53)]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person should know. ``door`` is empty when it concerns no single one."""

    text: Text
    door: Annotated[str, Within(0, 100)] = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to :class:`Ping`. ``worn``: the process should be started anew at a quiet moment."""

    id: Id
    worn: bool = False


FromDoors = messages.Said | Heard | CardStates | Swept | Keyed | ReaderKey | Lost | Trouble | Pong
FROM_DOORS: Mapping[str, type[FromDoors]] = MappingProxyType(
    {
        **messages.SAID,
        "heard": Heard,
        "cards": CardStates,
        "swept": Swept,
        "keyed": Keyed,
        "reader-key": ReaderKey,
        "lost": Lost,
        "trouble": Trouble,
        "pong": Pong,
    }
)
