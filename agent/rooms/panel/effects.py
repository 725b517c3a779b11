"""What a room's panel asks for, in the order in which it is to be done.

Rules of this file: data only. An entry comes before the release it is about; whoever carries effects out stops a
release on the way in whose entry could not be written, and never one on the way out. Persons and badges here are the
site's own strings, not yet made visible; texts are finished sentences.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from agent.doors.messages import Do, Side
from rules.model import Action, Verdict
from rules.text import Text


class AlarmKind(StrEnum):
    """Kinds of alarm. At most one of a kind is open per door, or per room where no door is named."""

    FORCED = "forced"  # the door opened and nobody had been let through
    HELD = "held"  # it stayed open too long
    TAMPER = "tamper"
    POWER = "power"
    OFFLINE = "offline"
    DURESS = "duress"  # silent: nothing at the door shows it
    GUESSING = "guessing"  # wrong PINs
    PASSBACK = "passback"  # a badge goes in twice and never out
    TWO_PLACES = "two-places"  # the person is in another room
    COPIED = "copied"  # right number, wrong card
    UNTRUSTED = "untrusted"  # a read that is stale, in clear or of another time
    FLOOD = "flood"
    FLUTTER = "flutter"  # the contact changes faster than a door can
    CLOCK = "clock"
    LONE = "lone"  # one person is left where two must be
    UNESCORTED = "unescorted"  # a visitor is left without an escort
    STOPPED_INSIDE = "stopped-inside"  # a departure or hold landed on somebody who is inside
    BADGE_GONE = "badge-gone"  # somebody is inside whom no badge can count out again
    OWN_DECISION = "own-decision"  # a board let somebody in by itself
    NOT_RELEASED = "not-released"  # the strike was asked and did not do it
    UNRECORDED = "unrecorded"  # the log takes no entry


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """Write this entry now. ``release`` names the release it is for (``""``: none follows).

    ``person`` is ``""`` for somebody unknown; ``together`` are those who go in with him; ``how``: what he used.
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
    """How a release ended. ``unknown``: the agent ended before the strike answered; ``unused``: nobody went through."""

    id: str
    door: str
    outcome: Literal["used", "unused", "failed", "unknown"]
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody is inside now, or not any more. ``sure``: the door or the strike bears it out."""

    person: str
    badge: str
    door: str
    inside: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm. ``silent``: tell the officers, show and sound nothing at the door."""

    kind: AlarmKind
    door: str
    person: str
    text: Text
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    """What an alarm was about is over; it stays open until somebody acknowledges it."""

    kind: AlarmKind
    door: str


@dataclass(frozen=True, slots=True)
class RightPin:
    """The right PIN came with ``badge``: the wrong ones that were counted with it in other rooms are forgotten."""

    person: str
    badge: str


@dataclass(frozen=True, slots=True)
class RecordNote:
    """Something to record that decides nothing: a door opened or closed, reads dropped, somebody taken off the list."""

    what: str
    door: str
    person: str
    text: Text


Effect = RecordEntry | Settled | Moved | Raise | Cleared | RightPin | RecordNote | Do
