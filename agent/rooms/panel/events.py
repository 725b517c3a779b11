"""Events from the control process to a room's panel, besides those from the wires: time, restarts, acts of people.

Rules of this file: data only. None of these ever opens a door.
"""

from dataclasses import dataclass

from agent.doors.messages import Said


@dataclass(frozen=True, slots=True)
class Tick:
    """The passing of time; sent by the time :func:`agent.rooms.panel.engine.due` returns."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """A restart of the control process or the doors process: open releases may never be answered."""


@dataclass(frozen=True, slots=True)
class ReleaseUnrecorded:
    """The entry of the release ``id`` could not be written, so the release was not sent (contract C2)."""

    id: str


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    """An acknowledgement of the alarm ``kind`` at ``door`` (``""``: of the room)."""

    kind: str
    door: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """An officer states that ``person`` is not inside (``""``: nobody is), to correct an anti-passback error."""

    person: str = ""


@dataclass(frozen=True, slots=True)
class DayOver:
    """The daily reset: everybody who entered before ``before`` counts as gone."""

    before: float


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """``person`` lost access by the rule ``rule``: a departure or a hold took effect."""

    person: str
    rule: str


@dataclass(frozen=True, slots=True)
class BadgeGone:
    """``badge`` was withdrawn from ``person``, who entered with it: it is ``owner``'s now (``""``: nobody's)."""

    person: str
    badge: str
    owner: str


@dataclass(frozen=True, slots=True)
class Proven:
    """``person`` entered the correct PIN with ``badge`` in another room."""

    person: str
    badge: str


@dataclass(frozen=True, slots=True)
class Locked:
    """A lockdown of the room or the site began (``on``) or ended. The facts deny; this drops what is waiting."""

    on: bool


@dataclass(frozen=True, slots=True)
class Freed:
    """An officer released the strike of ``door`` remotely for ``seconds``: it may open, and nobody is counted."""

    door: str
    seconds: float


Told = (
    Tick
    | Restarted
    | ReleaseUnrecorded
    | AlarmAcknowledged
    | Reset
    | DayOver
    | Withdrawn
    | BadgeGone
    | Proven
    | Locked
    | Freed
)
Event = Said | Told
