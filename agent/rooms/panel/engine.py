"""Panel engine of one room: events at its doors in, effects out, independent of any protocol.

Rules of this file: :func:`step` is pure and total: the same state, event, instant and answers of the desk give the same
result, and no event raises. Laws, held by property tests: no admission without an allowing verdict of the same step;
every release comes after its log entry; an exit is never denied; the state is bounded for any input; a clock that goes
back opens nothing.
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
from rules.text import Message

AtDoor = Read | KeyPress | Contact | RequestToExit | Tamper | Power | Online | OwnDecision


def step(
    state: RoomState, config: RoomConfig, event: Event, now: float, desk: PanelQueries
) -> tuple[RoomState, tuple[Effect, ...]]:
    """Return the room after *event* at *now* (seconds since 1970 UTC) and the effects to carry out, in order.

    An event at a door that is not of the room is only noted. The function itself has no side effect.
    """
    turn = PanelStep(state, config, now, desk)
    if turn.back:
        _clock_went_back(turn)
    _expire(turn)
    if isinstance(event, AtDoor):
        door = config.door(event.door)
        if door is None:
            door_name = event.door
            turn.note("unknown-door", Message("rooms.door-not-in-room", door=door_name))
        else:
            _at_door(turn, door, event)
    else:
        _dispatch(turn, event)
    return turn.state, tuple(turn.effects)


def due(state: RoomState, config: RoomConfig) -> float | None:
    """Return the time by which a :class:`.events.Tick` is needed; ``None`` when no timer runs."""
    fleeting = state.fleeting
    instants = [entry.until for entry in state.passages]
    instants += [entry.until for entry in fleeting.waiting] + [entry.until for entry in fleeting.pin_attempts]
    instants += [entry.since + config.flood_seconds for entry in fleeting.bursts]
    instants += [entry.since + config.flutter_seconds for entry in fleeting.flutters]
    alarmed_doors = {alarm.door for alarm in state.alarms if alarm.kind == AlarmKind.HELD and not alarm.over}
    for door in config.doors:
        position = state.door(door.door)
        if door.held_seconds and position.open and door.door not in alarmed_doors:
            instants.append(position.since + door.held_seconds)
    return min(instants, default=None)


def _clock_went_back(turn: PanelStep) -> None:
    """End every timer after the clock went back, because it would last longer now."""
    turn.set_fleeting(waiting=(), pin_attempts=(), recent=(), bursts=())
    for door in turn.config.doors:
        alarms.over(turn, AlarmKind.FLOOD, door=door.door)  # its count restarts
    releases.clamp(turn)
    contact_chatter.clamp(turn)
    turn.alarm(AlarmKind.CLOCK, Message("rooms.clock-went-back"))


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
            if attempt := pins.pressed(turn, event):
                ingress.pin_entered(turn, door, attempt)
        case Contact():
            if door.contact:  # an unwired input has no meaning
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
        releases.settle_by_badge(turn, holder.person, read.side)
    badge_shown = ingress.badge_shown if read.side == "in" else egress.badge_shown
    badge_shown(turn, door, read, holder, doubt)


def _earlier(event: Contact | RequestToExit) -> Message:
    door = event.door
    if isinstance(event, RequestToExit):
        return Message("rooms.exit-button-earlier", door=door)
    if event.open:
        return Message("rooms.door-opened-earlier", door=door)
    return Message("rooms.door-closed-earlier", door=door)


def _own_decision(turn: PanelStep, event: OwnDecision) -> None:
    door_name, card = event.door, event.card
    if event.granted:
        text = Message("rooms.board-allowed-card", door=door_name, card=card)
        turn.alarm(AlarmKind.OWN_DECISION, text, door=event.door)
    else:
        text = Message("rooms.board-denied-card", door=door_name, card=card)
        turn.note("own-decision", text, door=event.door)


def _dispatch(turn: PanelStep, event: Told | Released) -> None:
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
            pass  # expired timers are processed before every event


def _restarted(turn: PanelStep) -> None:
    """Clear all counts and end the alarms about them: a lasting condition raises them again."""
    turn.set(fleeting=Fleeting())
    for door in turn.config.doors:
        alarms.over(turn, AlarmKind.FLOOD, door=door.door)
        alarms.over(turn, AlarmKind.FLUTTER, door=door.door)
    releases.restarted(turn)


def _locked(turn: PanelStep, event: Locked) -> None:
    """Drop waiting persons and, on lockdown, releases not carried out yet; from now on the rules deny."""
    turn.set_fleeting(waiting=(), pin_attempts=())
    if event.on:
        releases.take_back(turn)
