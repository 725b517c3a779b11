"""What the control process tells a room's panel, beside what comes from the wires: time, restarts, people's acts.

Rules of this file: data only. None of these ever opens a door.
"""

from dataclasses import dataclass

from agent.doors.messages import Said


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; at the latest when :func:`agent.rooms.panel.engine.due` says."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The control process or the doors process began anew: what was asked of a strike may never be answered."""


@dataclass(frozen=True, slots=True)
class ReleaseUnrecorded:
    """The entry of the release ``id`` could not be written, so the release was not sent (contract C2)."""

    id: str


@dataclass(frozen=True, slots=True)
class AlarmAcknowledged:
    """Somebody has seen the alarm ``kind`` at ``door`` (``""``: that of the room)."""

    kind: str
    door: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """An officer says that ``person`` is not inside (``""``: nobody is): the way out of an anti-passback mistake."""

    person: str = ""


@dataclass(frozen=True, slots=True)
class DayOver:
    """The hour has come at which the site takes everybody to have left who went in before ``before``."""

    before: float


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """``person`` may not be here any more, by the rule ``rule``: a departure or a hold landed."""

    person: str
    rule: str


@dataclass(frozen=True, slots=True)
class BadgeGone:
    """``badge`` was taken from ``person``, who is inside by it: it is ``owner``'s now (``""``: nobody's)."""

    person: str
    badge: str
    owner: str


@dataclass(frozen=True, slots=True)
class Proven:
    """``person`` entered the right PIN with ``badge`` in another room."""

    person: str
    badge: str


@dataclass(frozen=True, slots=True)
class Locked:
    """A lockdown of the room or the site began (``on``) or ended. The facts deny; this drops what waits."""

    on: bool


@dataclass(frozen=True, slots=True)
class Freed:
    """An officer had the strike of ``door`` released from afar for ``seconds``: it may open, and counts nobody."""

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
