"""Contact chatter: a contact that changes faster than a leaf can swing; one alarm with a count replaces many entries.

Rules of this file: a contact chatters from more than ``flutter_changes`` changes in ``flutter_seconds`` on, until such
a period has no more than half of them. Meanwhile the door is not known to be closed: it counts as open, an alarm about
it does not end, and an opening without a release is still forced. The state of the contact when it is calm again counts
(:func:`agent.rooms.panel.contact.calm`). The count is logged at the end, and at intervals before.
"""

from msgspec.structs import replace

from agent.doors.messages import Contact
from agent.rooms.panel.alarms import over
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.state import ContactChatter
from agent.rooms.panel.step import PanelStep
from rules.text import Message

SUMMARY = 600.0  # seconds between log entries about a contact that still chatters


def changed(turn: PanelStep, event: Contact) -> bool:
    """Count a change of a contact; return whether it is one: a repeated state is none."""
    chatter = _of(turn, event.door)
    before = chatter.open if chatter and chatter.began is not None else turn.state.door(event.door).open
    if before is event.open:
        return False
    chatter = chatter or ContactChatter(event.door, turn.now)
    chatter = replace(chatter, changes=chatter.changes + 1, open=event.open)
    if chatter.began is None and chatter.changes > turn.config.flutter_changes:
        chatter = replace(chatter, began=turn.now)
        _begins(turn, event.door, chatter.changes)
    _keep(turn, chatter)
    return True


def fluttering(turn: PanelStep, door: str) -> bool:
    """Return whether the contact of *door* chatters, so that its changes are only counted."""
    chatter = _of(turn, door)
    return chatter is not None and chatter.began is not None


def ended(turn: PanelStep) -> tuple[ContactChatter, ...]:
    """End the periods that are over; return the contacts that are calm again, with their last state."""
    calm: list[ContactChatter] = []
    for chatter in turn.state.fleeting.flutters:
        if turn.now < chatter.since + turn.config.flutter_seconds:
            continue
        counted = replace(chatter, since=turn.now, changes=0, total=chatter.total + chatter.changes)
        if chatter.began is None:
            _forget(turn, chatter)
        elif chatter.changes <= turn.config.flutter_changes // 2:
            _forget(turn, chatter)
            _sum_up(turn, counted)
            over(turn, AlarmKind.FLUTTER, door=chatter.door)
            calm.append(chatter)
        elif turn.now >= chatter.began + SUMMARY:
            _sum_up(turn, counted)
            _keep(turn, replace(counted, began=turn.now, total=0))
        else:
            _keep(turn, counted)
    return tuple(calm)


def clamp(turn: PanelStep) -> None:
    """Shorten all periods after the clock went back, so that none lasts longer."""
    flutters = turn.state.fleeting.flutters
    earlier = (None if chatter.began is None else min(chatter.began, turn.now) for chatter in flutters)
    clamped = (
        replace(chatter, since=min(chatter.since, turn.now), began=at)
        for chatter, at in zip(flutters, earlier, strict=True)
    )
    turn.set_fleeting(flutters=tuple(clamped))


def _begins(turn: PanelStep, door: str, changes: int) -> None:
    position = turn.state.door(door)
    if not position.open:
        turn.set_door(door, open=True, since=turn.now)
    door_name, seconds = door, round(turn.config.flutter_seconds)
    text = Message("rooms.contact-chatter", door=door_name, count=changes, seconds=seconds)
    turn.alarm(AlarmKind.FLUTTER, text, door=door)


def _sum_up(turn: PanelStep, chatter: ContactChatter) -> None:
    assert chatter.began is not None
    door_name, seconds = chatter.door, round(turn.now - chatter.began)
    text = Message("rooms.contact-chatter-total", door=door_name, count=chatter.total, seconds=seconds)
    turn.note("flutter", text, door=chatter.door)


def _of(turn: PanelStep, door: str) -> ContactChatter | None:
    return next((chatter for chatter in turn.state.fleeting.flutters if chatter.door == door), None)


def _keep(turn: PanelStep, chatter: ContactChatter) -> None:
    other_doors = (entry for entry in turn.state.fleeting.flutters if entry.door != chatter.door)
    turn.set_fleeting(flutters=(*other_doors, chatter))


def _forget(turn: PanelStep, chatter: ContactChatter) -> None:
    turn.set_fleeting(flutters=tuple(entry for entry in turn.state.fleeting.flutters if entry.door != chatter.door))
