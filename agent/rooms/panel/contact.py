"""What the contact of a door says: opened by somebody let through, forced, held open, closed.

Rules of this file: a door may open without alarm while a release for it lasts, and as long after as a slow strike may
take; any other opening is forced, also one that happened while the agent was away. An open door is nobody's way in:
every badge is decided and recorded all the same.
"""

from agent.doors.messages import Contact
from agent.rooms.panel import contact_chatter, releases
from agent.rooms.panel.alarms import again, loud, over
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible


def contact(turn: PanelStep, event: Contact) -> None:
    """The door is open, or closed; the same word twice changes nothing."""
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
    """Take contacts that flutter no more at their word; a door that was forced and stands open is told once more."""
    for one in contact_chatter.ended(turn):
        if not one.open:
            _moved(turn, one.door, is_open=False)
        elif again(turn, AlarmKind.FORCED, door=one.door):
            loud(turn, AlarmKind.FORCED, _forced(one.door), door=one.door)


def held(turn: PanelStep) -> None:
    """Raise the alarm for every door that has stood open for too long."""
    for config in turn.config.doors:
        door = turn.state.door(config.door)
        if config.held_seconds and door.open and turn.now >= door.since + config.held_seconds:
            shown = visible(config.door)
            text = Text(f"`{shown}` is held open", f"`{shown}` 久开未关")
            loud(turn, AlarmKind.HELD, text, door=config.door)


def _moved(turn: PanelStep, door: str, *, is_open: bool) -> None:
    before = turn.state.door(door).open
    turn.set_door(door, open=is_open, since=turn.now)
    shown = visible(door)
    if is_open:
        turn.note("open", Text(f"`{shown}` is open", f"`{shown}` 已打开"), door=door)
        return
    over(turn, AlarmKind.FORCED, door=door)
    over(turn, AlarmKind.HELD, door=door)
    if before is not None:
        turn.note("close", Text(f"`{shown}` is closed", f"`{shown}` 已关闭"), door=door)


def _forced(door: str) -> Text:
    shown = visible(door)
    return Text(f"`{shown}` opened and nobody was let through", f"`{shown}` 被强行打开")
