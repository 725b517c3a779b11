"""Effects of a room's panel, in the order in which they are to be carried out.

Rules of this file: data only. An entry precedes the release it is about; the controller stops a release for an entry
into the room whose log entry could not be written, and never one for an exit. Persons and badges here are the site's
own strings, not yet made visible; texts are messages.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from agent.doors.messages import Do, Side
from rules.model import Action, Verdict
from rules.text import Message


class AlarmKind(StrEnum):
    """Kinds of alarm. At most one of a kind is open per door, or per room where no door is named."""

    FORCED = "forced"  # the door opened without a release
    HELD = "held"  # it stayed open too long
    TAMPER = "tamper"
    POWER = "power"
    OFFLINE = "offline"
    DURESS = "duress"  # silent: nothing at the door shows it
    GUESSING = "guessing"  # wrong PINs
    PASSBACK = "passback"  # a badge enters twice without an exit
    TWO_PLACES = "two-places"  # the person is in another room
    COPIED = "copied"  # right number, wrong card
    UNTRUSTED = "untrusted"  # a read that is stale, in clear or of another time
    FLOOD = "flood"
    FLUTTER = "flutter"  # the contact changes faster than a door can
    CLOCK = "clock"
    LONE = "lone"  # one person is left where two must be
    UNESCORTED = "unescorted"  # a visitor is left without an escort
    STOPPED_INSIDE = "stopped-inside"  # a departure or hold of a person who is inside
    BADGE_GONE = "badge-gone"  # a person inside has no badge left to exit with
    OWN_DECISION = "own-decision"  # a board admitted a card by itself
    NOT_RELEASED = "not-released"  # the strike did not carry out the release
    UNRECORDED = "unrecorded"  # the log takes no entry


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """A log entry to write now. ``release`` names the release it is for (``""``: none follows).

    ``person`` is ``""`` for an unknown one; ``together``: persons who enter with them; ``how``: what they used.
    """

    door: str
    side: Side
    action: Action
    person: str
    badge: str
    verdict: Verdict
    release: str = ""
    together: tuple[str, ...] = ()
    purpose: str = ""
    secure: bool = True
    how: Literal["card", "pin", "button"] = "card"


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of a release. ``unknown``: the agent ended before the strike answered; ``unused``: nobody passed."""

    id: str
    door: str
    outcome: Literal["used", "unused", "failed", "unknown"]
    reason: Message | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A change of presence: a person is inside now, or no longer. ``sure``: confirmed by the door or the strike."""

    person: str
    badge: str
    door: str
    inside: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm. ``silent``: reported to the officers only, not shown or sounded at the door."""

    kind: AlarmKind
    door: str
    person: str
    text: Message
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    """The end of an alarm's condition; the alarm stays open until it is acknowledged."""

    kind: AlarmKind
    door: str


@dataclass(frozen=True, slots=True)
class RightPin:
    """A correct PIN with ``badge``: wrong PINs counted with it in other rooms are cleared."""

    person: str
    badge: str


@dataclass(frozen=True, slots=True)
class RecordNote:
    """An event to record without a decision: a door opened or closed, dropped reads, a person taken off the list."""

    event_kind: str
    door: str
    person: str
    text: Message


Effect = RecordEntry | Settled | Moved | Raise | Cleared | RightPin | RecordNote | Do
