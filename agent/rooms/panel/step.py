"""One step of a panel under way: the room as it stands now, and what has been asked for so far.

Rules of this file: a turn belongs to one call of :func:`agent.rooms.panel.engine.step` and is never shared, so the step
stays pure while its parts read like what they do. Time only goes forward in a turn; ``back`` says that the clock has
not.
"""

from typing import Any

from msgspec.structs import replace

from agent.rooms.panel.config import RoomConfig
from agent.rooms.panel.effects import AlarmKind, Effect, Raise, RecordNote
from agent.rooms.panel.interface import PanelQueries
from agent.rooms.panel.state import MOST_ALARMS, DoorPosition, OpenAlarm, RoomState
from rules.text import Text

SLACK = 2.0  # seconds that clocks may differ by, and be set back by, without anything being wrong
REPEAT = 60.0  # seconds within which the same thing, by the same person at the same door, is the same alarm
MOST_TIMES = 5  # that a lasting alarm is told within these seconds: a contact that flutters is one thing and no more
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
    """The state and the effects of one step. ``now`` never lies before anything the room was told."""

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
        """Change what no restart keeps."""
        self.set(fleeting=replace(self.state.fleeting, **changes))

    def set_door(self, name: str, **changes: Any) -> DoorPosition:
        """Change what is known of a door."""
        changed = replace(self.state.door(name), **changes)
        others = tuple(door for door in self.state.doors if door.door != name)
        self.set(doors=(*others, changed))
        return changed

    def do(self, *effects: Effect) -> None:
        """Ask for *effects*, in order, after all that was asked for before."""
        self.effects += effects

    def note(self, what: str, text: Text, *, door: str = "", person: str = "") -> None:
        """Ask for a line in the log that decides nothing."""
        self.do(RecordNote(what, door, person, text))

    def alarm(self, kind: AlarmKind, text: Text, *, door: str = "", person: str = "", silent: bool = False) -> None:
        """Raise an alarm, unless the same one is open and lasts, or was raised a moment ago."""
        same = [one for one in self.state.alarms if (one.kind, one.door, one.person) == (kind, door, person)]
        if any(not one.over if kind in LASTING else self.now < one.at + REPEAT for one in same):
            return
        times = 1 + max((one.times for one in same if self.now < one.at + REPEAT), default=0)
        at = self.now if times <= MOST_TIMES else max(one.at for one in same)
        raised = OpenAlarm(kind, door, person, at, over=kind not in LASTING, times=min(times, MOST_TIMES + 1))
        others = [one for one in self.state.alarms if one not in same]
        self.set(alarms=(*_room_for_one(others), raised))
        if times > MOST_TIMES:
            return
        self.do(Raise(kind, door, person, text, silent))


def _room_for_one(alarms: list[OpenAlarm]) -> list[OpenAlarm]:
    """Keep the newest: what is forgotten here was told when it was raised, and would only be told again."""
    return alarms[-(MOST_ALARMS - 1) :]
