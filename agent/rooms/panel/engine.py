"""One room's panel: what happens at its doors in, what is to be done out, and nothing of any protocol in between.

Rules of this file: :func:`step` is pure and total: the same state, event, instant and answers of the desk give the same
result, and no event raises. Laws, held by property tests: no release on the way in without an allowing verdict of the
same step; every release comes after its entry; a way out is never refused; the state is bounded whatever comes; a clock
that goes back opens nothing.
"""

from agent.doors.messages import Contact, KeyPress, Online, OwnDecision, Power, Read, Released, RequestToExit, Tamper
from agent.rooms.panel import alarms, contact, contact_chatter, egress, ingress, occupancy, pins, reads, releases
from agent.rooms.panel.config import DoorConfig, RoomConfig
from agent.rooms.panel.effects import AlarmKind, Effect
from agent.rooms.panel.events import (
    AlarmAcknowledged,
    BadgeGone,
    DayOver,
    Event,
    Freed,
    Locked,
    Proven,
    ReleaseUnrecorded,
    Reset,
    Restarted,
    Tick,
    Told,
    Withdrawn,
)
from agent.rooms.panel.interface import PanelQueries
from agent.rooms.panel.state import Fleeting, RoomState
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible

AtDoor = Read | KeyPress | Contact | RequestToExit | Tamper | Power | Online | OwnDecision


def step(
    state: RoomState, config: RoomConfig, event: Event, now: float, desk: PanelQueries
) -> tuple[RoomState, tuple[Effect, ...]]:
    """Return the room after *event* at *now* (seconds since 1970 UTC) and what is to be done, in order.

    An event at a door the room has not got is only noted. Nothing is done by this function itself.
    """
    turn = PanelStep(state, config, now, desk)
    if turn.back:
        _clock_went_back(turn)
    _expire(turn)
    if isinstance(event, AtDoor):
        door = config.door(event.door)
        if door is None:
            shown = visible(event.door)
            turn.note("unknown-door", Text(f"`{shown}` is no door of this room", f"`{shown}` 不属于此场所"))
        else:
            _at_door(turn, door, event)
    else:
        _told(turn, event)
    return turn.state, tuple(turn.effects)


def due(state: RoomState, config: RoomConfig) -> float | None:
    """Return when a :class:`.events.Tick` has something to do at the latest; ``None``: not by itself."""
    fleeting = state.fleeting
    instants = [one.until for one in state.passages]
    instants += [one.until for one in fleeting.waiting] + [one.until for one in fleeting.asked]
    instants += [one.since + config.flood_seconds for one in fleeting.bursts]
    instants += [one.since + config.flutter_seconds for one in fleeting.flutters]
    told = {alarm.door for alarm in state.alarms if alarm.kind == AlarmKind.HELD and not alarm.over}
    for door in config.doors:
        known = state.door(door.door)
        if door.held_seconds and known.open and door.door not in told:
            instants.append(known.since + door.held_seconds)
    return min(instants, default=None)


def _clock_went_back(turn: PanelStep) -> None:
    """Whatever was to last until an instant would last longer now: it ends instead."""
    turn.set_fleeting(waiting=(), asked=(), recent=(), bursts=())
    for door in turn.config.doors:
        alarms.over(turn, AlarmKind.FLOOD, door=door.door)  # it is counted anew
    releases.clamp(turn)
    contact_chatter.clamp(turn)
    turn.alarm(AlarmKind.CLOCK, Text("the clock has gone back", "时钟发生倒退"))


def _expire(turn: PanelStep) -> None:
    releases.expire(turn)
    ingress.expire(turn)
    pins.expire(turn)
    reads.expire(turn)
    contact.calm(turn)
    contact.held(turn)
    alarms.forget_old(turn)


def _at_door(turn: PanelStep, door: DoorConfig, event: AtDoor) -> None:
    match event:
        case Contact(stale=True) | RequestToExit(stale=True):
            turn.note("earlier", _earlier(event), door=event.door)
        case Read():
            _read(turn, door, event)
        case KeyPress():
            if asked := pins.pressed(turn, event):
                ingress.pin_entered(turn, door, asked)
        case Contact():
            if door.contact:  # an input nothing is wired to says anything
                contact.contact(turn, event)
        case RequestToExit():
            egress.button_pressed(turn, door)
        case Tamper():
            alarms.tampered(turn, event)
        case Power():
            alarms.power(turn, event)
        case Online():
            alarms.online(turn, event)
        case OwnDecision():
            _own_decision(turn, event)


def _read(turn: PanelStep, door: DoorConfig, read: Read) -> None:
    if reads.repeated(turn, door, read) or (read.side == "in" and reads.too_many(turn, read)):
        return
    reads.remember(turn, read)
    holder = turn.desk.holder(read)
    doubt = reads.doubt(turn, read, holder)
    reads.doubted(turn, read, doubt)
    if holder and not doubt:
        releases.seen(turn, holder.person, read.side)
    way = ingress.badge_shown if read.side == "in" else egress.badge_shown
    way(turn, door, read, holder, doubt)


def _earlier(event: Contact | RequestToExit) -> Text:
    shown = visible(event.door)
    if isinstance(event, RequestToExit):
        return Text(f"the button of `{shown}` was pressed earlier", f"`{shown}` 的按钮此前被按下")
    if event.open:
        return Text(f"`{shown}` was opened earlier", f"`{shown}` 此前被打开")
    return Text(f"`{shown}` was closed earlier", f"`{shown}` 此前被关闭")


def _own_decision(turn: PanelStep, event: OwnDecision) -> None:
    shown, card = visible(event.door), event.card
    if event.granted:
        text = Text(f"the board of `{shown}` let card `{card}` in by itself", f"`{shown}` 控制器自行放行卡 `{card}`")
        turn.alarm(AlarmKind.OWN_DECISION, text, door=event.door)
    else:
        text = Text(f"the board of `{shown}` refused card `{card}` by itself", f"`{shown}` 控制器自行拒绝卡 `{card}`")
        turn.note("own-decision", text, door=event.door)


def _told(turn: PanelStep, event: Told | Released) -> None:
    match event:
        case Released():
            releases.released(turn, event)
        case ReleaseUnrecorded():
            releases.unrecorded(turn, event)
        case Restarted():
            _restarted(turn)
        case AlarmAcknowledged():
            alarms.acknowledged(turn, event)
        case Reset():
            occupancy.reset(turn, event)
        case DayOver():
            occupancy.day_over(turn, event)
        case Withdrawn():
            releases.take_back(turn, event.person)
            occupancy.withdrawn(turn, event)
        case BadgeGone():
            occupancy.badge_gone(turn, event)
        case Proven():
            pins.forget(turn, event.person, event.badge)
        case Locked():
            _locked(turn, event)
        case Freed():
            if turn.config.door(event.door):
                releases.freed(turn, event)
        case Tick():
            pass  # what has had its time has been dealt with before every event


def _restarted(turn: PanelStep) -> None:
    """What was counted is forgotten, and the alarms about it end: what goes on begins again."""
    turn.set(fleeting=Fleeting())
    for door in turn.config.doors:
        alarms.over(turn, AlarmKind.FLOOD, door=door.door)
        alarms.over(turn, AlarmKind.FLUTTER, door=door.door)
    releases.restarted(turn)


def _locked(turn: PanelStep, event: Locked) -> None:
    """The rules deny from now on; here ends what was waiting, and what the strike has not done yet."""
    turn.set_fleeting(waiting=(), asked=())
    if event.on:
        releases.take_back(turn)
