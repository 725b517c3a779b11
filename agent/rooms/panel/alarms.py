"""Alarms that last: told once, over when the condition ends, closed when somebody has acknowledged them as well.

Rules of this file: what flutters is told a few times a minute, whoever makes it flutter. An acknowledgement ends the
noise and never the condition; a condition that ends ends the noise and leaves the alarm open until it is acknowledged.
Nothing here opens or shuts a door.
"""

from msgspec.structs import replace

from agent.doors.messages import Buzzer, Online, Power, Side, Signal, Tamper
from agent.rooms.panel.effects import AlarmKind, Cleared
from agent.rooms.panel.events import AlarmAcknowledged
from agent.rooms.panel.state import OpenAlarm
from agent.rooms.panel.step import LASTING, MOST_TIMES, REPEAT, PanelStep
from rules.text import Text
from rules.visible import visible

_LOUD = frozenset((AlarmKind.FORCED, AlarmKind.HELD))


def loud(turn: PanelStep, kind: AlarmKind, text: Text, *, door: str) -> None:
    """Raise a lasting alarm that sounds at the door until it is acknowledged or over."""
    before = len(turn.effects)
    turn.alarm(kind, text, door=door)
    if len(turn.effects) > before:
        _sound(turn, door, "alarm")


def over(turn: PanelStep, kind: AlarmKind, *, door: str = "", person: str | None = None) -> None:
    """The condition of the lasting alarm *kind* at *door*, about *person* or anybody, has ended, if there was one."""
    ended = [
        one
        for one in turn.state.alarms
        if (one.kind, one.door) == (kind, door) and person in (None, one.person) and not one.over
    ]
    if ended:
        _keep_open(turn, [replace(one, over=True) if one in ended else one for one in turn.state.alarms])
        if any(one.times <= MOST_TIMES for one in ended):
            turn.do(Cleared(kind, door))
        if kind in _LOUD and not all(one.seen for one in ended):
            _sound(turn, door, "off")


def again(turn: PanelStep, kind: AlarmKind, *, door: str) -> bool:
    """Whether the condition of *kind* at *door* goes on; if so the alarm is forgotten, so that it can be told again."""
    going_on = [one for one in turn.state.alarms if (one.kind, one.door) == (kind, door) and not one.over]
    turn.set(alarms=tuple(one for one in turn.state.alarms if one not in going_on))
    return bool(going_on)


def acknowledged(turn: PanelStep, event: AlarmAcknowledged) -> None:
    """Somebody has seen the alarms of one kind at one door."""
    seen = [one for one in turn.state.alarms if (one.kind, one.door) == (event.kind, event.door) and not one.seen]
    _keep_open(turn, [replace(one, seen=True) if one in seen else one for one in turn.state.alarms])
    if event.kind in _LOUD and any(not one.over for one in seen):
        _sound(turn, event.door, "off")


def forget_old(turn: PanelStep) -> None:
    """Forget the momentary alarms of which a repetition is news again."""
    kept = [one for one in turn.state.alarms if one.kind in LASTING or turn.now < one.at + REPEAT]
    turn.set(alarms=tuple(kept))


def tampered(turn: PanelStep, event: Tamper) -> None:
    """A reader's housing is open, or closed again."""
    sides = _with(turn.state.door(event.door).tampered, event.side, there=event.active)
    turn.set_door(event.door, tampered=sides)
    if event.active:
        turn.alarm(
            AlarmKind.TAMPER, _said("a reader of `{}` was opened", "`{}` 的读卡器被拆开", event.door), door=event.door
        )
    if not sides:
        over(turn, AlarmKind.TAMPER, door=event.door)


def power(turn: PanelStep, event: Power) -> None:
    """The power at a door failed, or is back."""
    if event.failed:
        turn.alarm(AlarmKind.POWER, _said("the power of `{}` failed", "`{}` 断电", event.door), door=event.door)
    else:
        over(turn, AlarmKind.POWER, door=event.door)


def online(turn: PanelStep, event: Online) -> None:
    """A reader or board is there, or not. Nobody goes on waiting at a door that cannot be heard."""
    sides = _with(turn.state.door(event.door).offline, event.side, there=not event.online)
    turn.set_door(event.door, offline=sides)
    if not event.online:
        fleeting = turn.state.fleeting
        turn.set_fleeting(
            waiting=tuple(one for one in fleeting.waiting if one.door != event.door),
            asked=tuple(one for one in fleeting.asked if one.door != event.door),
        )
        text = _said("a reader of `{}` cannot be reached", "`{}` 的读卡器失联", event.door)
        turn.alarm(AlarmKind.OFFLINE, event.why or text, door=event.door)
    if not sides:
        over(turn, AlarmKind.OFFLINE, door=event.door)


def _keep_open(turn: PanelStep, alarms: list[OpenAlarm]) -> None:
    """Keep what is not both over and seen. What never lasted stays a moment, so that its repetition is no news."""
    turn.set(alarms=tuple(one for one in alarms if one.kind not in LASTING or not (one.over and one.seen)))


def _sound(turn: PanelStep, door: str, buzzer: Buzzer) -> None:
    turn.do(Signal(door, "in", buzzer=buzzer))


def _with(sides: tuple[Side, ...], side: Side, *, there: bool) -> tuple[Side, ...]:
    others = tuple(one for one in sides if one != side)
    return (*others, side) if there else others


def _said(en: str, zh: str, door: str) -> Text:
    return Text(en.format(visible(door)), zh.format(visible(door)))
