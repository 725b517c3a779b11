"""Lasting alarms: raised once, over when the condition ends, closed when they are acknowledged as well.

Rules of this file: a condition that comes and goes is reported a few times a minute at most. An acknowledgement stops
the sound and never the condition; the end of a condition stops the sound and leaves the alarm open until it is
acknowledged. Nothing here opens or closes a door.
"""

from msgspec.structs import replace

from agent.doors.messages import Buzzer, Online, Power, Side, Signal, Tamper
from agent.rooms.panel.effects import AlarmKind, Cleared
from agent.rooms.panel.events import AlarmAcknowledged
from agent.rooms.panel.state import OpenAlarm
from agent.rooms.panel.step import LASTING, MOST_TIMES, REPEAT, PanelStep
from rules.text import Message

_LOUD = frozenset((AlarmKind.FORCED, AlarmKind.HELD))


def loud(turn: PanelStep, kind: AlarmKind, text: Message, *, door: str) -> None:
    """Raise a lasting alarm that sounds at the door until it is acknowledged or over."""
    before = len(turn.effects)
    turn.alarm(kind, text, door=door)
    if len(turn.effects) > before:
        _sound(turn, door, "alarm")


def over(turn: PanelStep, kind: AlarmKind, *, door: str = "", person: str | None = None) -> None:
    """End the condition of the lasting alarm *kind* at *door*, about *person* or anybody, if there was one."""
    ended = [
        alarm
        for alarm in turn.state.alarms
        if (alarm.kind, alarm.door) == (kind, door) and person in (None, alarm.person) and not alarm.over
    ]
    if ended:
        _keep_open(turn, [replace(alarm, over=True) if alarm in ended else alarm for alarm in turn.state.alarms])
        if any(alarm.times <= MOST_TIMES for alarm in ended):
            turn.do(Cleared(kind, door))
        if kind in _LOUD and not all(alarm.seen for alarm in ended):
            _sound(turn, door, "off")


def reopen(turn: PanelStep, kind: AlarmKind, *, door: str) -> bool:
    """Return whether the condition of *kind* at *door* lasts; if so, drop the alarm so that it can be raised again."""
    going_on = [alarm for alarm in turn.state.alarms if (alarm.kind, alarm.door) == (kind, door) and not alarm.over]
    turn.set(alarms=tuple(alarm for alarm in turn.state.alarms if alarm not in going_on))
    return bool(going_on)


def acknowledged(turn: PanelStep, event: AlarmAcknowledged) -> None:
    """Process an acknowledgement of the alarms of one kind at one door."""
    unseen = [
        alarm for alarm in turn.state.alarms if (alarm.kind, alarm.door) == (event.kind, event.door) and not alarm.seen
    ]
    _keep_open(turn, [replace(alarm, seen=True) if alarm in unseen else alarm for alarm in turn.state.alarms])
    if event.kind in _LOUD and any(not alarm.over for alarm in unseen):
        _sound(turn, event.door, "off")


def forget_old(turn: PanelStep) -> None:
    """Drop the momentary alarms whose repetition counts as a new alarm."""
    remaining = [alarm for alarm in turn.state.alarms if alarm.kind in LASTING or turn.now < alarm.at + REPEAT]
    turn.set(alarms=tuple(remaining))


def tampered(turn: PanelStep, event: Tamper) -> None:
    """Process a reader's tamper state."""
    sides = _with(turn.state.door(event.door).tampered, event.side, present=event.active)
    turn.set_door(event.door, tampered=sides)
    if event.active:
        turn.alarm(AlarmKind.TAMPER, Message("rooms.reader-tampered", door=event.door), door=event.door)
    if not sides:
        over(turn, AlarmKind.TAMPER, door=event.door)


def power(turn: PanelStep, event: Power) -> None:
    """Process a power failure at a door, or its end."""
    if event.failed:
        turn.alarm(AlarmKind.POWER, Message("rooms.power-failed", door=event.door), door=event.door)
    else:
        over(turn, AlarmKind.POWER, door=event.door)


def online(turn: PanelStep, event: Online) -> None:
    """Process the online state of a reader or board. Waiting persons at an offline door are dropped."""
    sides = _with(turn.state.door(event.door).offline, event.side, present=not event.online)
    turn.set_door(event.door, offline=sides)
    if not event.online:
        fleeting = turn.state.fleeting
        turn.set_fleeting(
            waiting=tuple(attempt for attempt in fleeting.waiting if attempt.door != event.door),
            pin_attempts=tuple(attempt for attempt in fleeting.pin_attempts if attempt.door != event.door),
        )
        text = Message("rooms.reader-unreachable", door=event.door)
        turn.alarm(AlarmKind.OFFLINE, event.why or text, door=event.door)
    if not sides:
        over(turn, AlarmKind.OFFLINE, door=event.door)


def _keep_open(turn: PanelStep, alarms: list[OpenAlarm]) -> None:
    """Keep alarms that are not both over and seen. Momentary ones stay a while, to suppress repetitions."""
    turn.set(alarms=tuple(alarm for alarm in alarms if alarm.kind not in LASTING or not (alarm.over and alarm.seen)))


def _sound(turn: PanelStep, door: str, buzzer: Buzzer) -> None:
    turn.do(Signal(door, "in", buzzer=buzzer))


def _with(sides: tuple[Side, ...], side: Side, *, present: bool) -> tuple[Side, ...]:
    other_sides = tuple(entry for entry in sides if entry != side)
    return (*other_sides, side) if present else other_sides
