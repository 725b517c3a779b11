"""One step of a panel in progress: the present state of the room, and the effects so far.

Rules of this file: a turn belongs to one call of :func:`agent.rooms.panel.engine.step` and is never shared, so the step
stays pure although its parts change the turn. Time only goes forward in a turn; ``back``: the clock went back.
"""

from typing import Any

from msgspec.structs import replace

from agent.rooms.panel.config import RoomConfig
from agent.rooms.panel.effects import AlarmKind, Effect, Raise, RecordNote
from agent.rooms.panel.interface import PanelQueries
from agent.rooms.panel.state import MOST_ALARMS, DoorPosition, OpenAlarm, RoomState
from rules.text import Message

SLACK = 2.0  # seconds that clocks may differ by, and be set back by, without a fault
REPEAT = 60.0  # seconds within which the same event, by the same person at the same door, is the same alarm
MOST_TIMES = 5  # reports of a lasting alarm within these seconds: a chattering contact is one fault
# An alarm of these kinds is open until its condition ends; of the others, it is over when it is raised.
LASTING = frozenset(
    {
        AlarmKind.FORCED,
        AlarmKind.HELD,
        AlarmKind.TAMPER,
        AlarmKind.POWER,
        AlarmKind.OFFLINE,
        AlarmKind.FLOOD,
        AlarmKind.FLUTTER,
        AlarmKind.LONE,
        AlarmKind.UNESCORTED,
        AlarmKind.BADGE_GONE,
    }
)


class PanelStep:
    """The state and the effects of one step. ``now`` is never before an earlier time the room was given."""

    def __init__(self, state: RoomState, config: RoomConfig, now: float, desk: PanelQueries) -> None:
        self.config = config
        self.desk = desk
        self.effects: list[Effect] = []
        self.back = now < state.latest - SLACK
        self.now = now if self.back else max(now, state.latest)
        self.state = replace(state, latest=self.now)

    def set(self, **changes: Any) -> None:
        """Change fields of the room's state."""
        self.state = replace(self.state, **changes)

    def set_fleeting(self, **changes: Any) -> None:
        """Change fields of the fleeting state."""
        self.set(fleeting=replace(self.state.fleeting, **changes))

    def set_door(self, name: str, **changes: Any) -> DoorPosition:
        """Change fields of a door's state; return it."""
        changed = replace(self.state.door(name), **changes)
        other_doors = tuple(door for door in self.state.doors if door.door != name)
        self.set(doors=(*other_doors, changed))
        return changed

    def do(self, *effects: Effect) -> None:
        """Add *effects*, in order, after the earlier ones."""
        self.effects += effects

    def note(self, event_kind: str, text: Message, *, door: str = "", person: str = "") -> None:
        """Add a log entry without a decision."""
        self.do(RecordNote(event_kind, door, person, text))

    def alarm(self, kind: AlarmKind, text: Message, *, door: str = "", person: str = "", silent: bool = False) -> None:
        """Raise an alarm, unless the same one is open and lasts, or was raised less than a minute ago."""
        same = [
            earlier
            for earlier in self.state.alarms
            if (earlier.kind, earlier.door, earlier.person) == (kind, door, person)
        ]
        if any(not earlier.over if kind in LASTING else self.now < earlier.at + REPEAT for earlier in same):
            return
        times = 1 + max((earlier.times for earlier in same if self.now < earlier.at + REPEAT), default=0)
        at = self.now if times <= MOST_TIMES else max(earlier.at for earlier in same)
        raised = OpenAlarm(kind, door, person, at, over=kind not in LASTING, times=min(times, MOST_TIMES + 1))
        other_alarms = [earlier for earlier in self.state.alarms if earlier not in same]
        self.set(alarms=(*_room_for_one(other_alarms), raised))
        if times > MOST_TIMES:
            return
        self.do(Raise(kind, door, person, text, silent))


def _room_for_one(alarms: list[OpenAlarm]) -> list[OpenAlarm]:
    """Return the newest alarms; a dropped one was reported already, and would only be reported again."""
    return alarms[-(MOST_ALARMS - 1) :]
