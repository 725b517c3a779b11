"""Door contact: opened after a release, forced, held open, closed.

Rules of this file: a door may open without alarm while a release for it lasts, and for the answer time of a slow strike
after it; any other opening is forced, also one while the agent was not running. An open door admits nobody by itself:
every badge is decided and recorded all the same.
"""

from agent.doors.messages import Contact
from agent.rooms.panel import contact_chatter, releases
from agent.rooms.panel.alarms import loud, over, reopen
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.step import PanelStep
from rules.text import Message


def contact(turn: PanelStep, event: Contact) -> None:
    """Process a contact event; a repeated state changes nothing."""
    if event.open:
        releases.opened(turn, event)
    else:
        releases.closed(turn, event)
    if not contact_chatter.changed(turn, event):
        return
    if not contact_chatter.fluttering(turn, event.door):
        _moved(turn, event.door, is_open=event.open)
    if event.open and turn.now > turn.state.door(event.door).free_until:
        loud(turn, AlarmKind.FORCED, _forced(event.door), door=event.door)


def calm(turn: PanelStep) -> None:
    """Accept the state of contacts that have stopped chattering; a forced door still open raises its alarm again."""
    for chatter in contact_chatter.ended(turn):
        if not chatter.open:
            _moved(turn, chatter.door, is_open=False)
        elif reopen(turn, AlarmKind.FORCED, door=chatter.door):
            loud(turn, AlarmKind.FORCED, _forced(chatter.door), door=chatter.door)


def held(turn: PanelStep) -> None:
    """Raise the alarm for every door that has been open for too long."""
    for config in turn.config.doors:
        door = turn.state.door(config.door)
        if config.held_seconds and door.open and turn.now >= door.since + config.held_seconds:
            door_name = config.door
            text = Message("rooms.door-held-open", door=door_name)
            loud(turn, AlarmKind.HELD, text, door=config.door)


def _moved(turn: PanelStep, door: str, *, is_open: bool) -> None:
    before = turn.state.door(door).open
    turn.set_door(door, open=is_open, since=turn.now)
    door_name = door
    if is_open:
        turn.note("open", Message("rooms.door-open", door=door_name), door=door)
        return
    over(turn, AlarmKind.FORCED, door=door)
    over(turn, AlarmKind.HELD, door=door)
    if before is not None:
        turn.note("close", Message("rooms.door-closed", door=door_name), door=door)


def _forced(door: str) -> Message:
    door_name = door
    return Message("rooms.door-forced", door=door_name)
