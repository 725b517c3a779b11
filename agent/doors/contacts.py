"""What the contact of a door says: opened by somebody let through, forced, held open, closed.

Rules of this file: a door may open without alarm while a release for it lasts, and as long after as a slow strike may
take; any other opening is forced, also one that happened while the agent was away. An open door is nobody's way in:
every badge is decided and recorded all the same.
"""

from agent.doors import passages
from agent.doors.alarms import loud, over
from agent.doors.effects import Alarm
from agent.doors.turn import Turn
from agent.doors.words import Contact
from rules.text import Text
from rules.visible import visible


def contact(turn: Turn, event: Contact) -> None:
    """The door is open, or closed; the same word twice changes nothing."""
    known = turn.state.door(event.door)
    if event.open:
        passages.opened(turn, event)
    else:
        passages.closed(turn, event)
    if known.open is event.open:
        return
    turn.set_door(event.door, open=event.open, since=turn.now)
    shown = visible(event.door)
    if not event.open:
        over(turn, Alarm.FORCED, door=event.door)
        over(turn, Alarm.HELD, door=event.door)
        if known.open is not None:
            turn.note("close", Text(f"`{shown}` is closed", f"`{shown}` 已关闭"), door=event.door)
        return
    turn.note("open", Text(f"`{shown}` is open", f"`{shown}` 已打开"), door=event.door)
    if turn.now > known.free_until:
        text = Text(f"`{shown}` opened and nobody was let through", f"`{shown}` 被强行打开")
        loud(turn, Alarm.FORCED, text, door=event.door)


def held(turn: Turn) -> None:
    """Raise the alarm for every door that has stood open for too long."""
    for config in turn.config.doors:
        door = turn.state.door(config.door)
        if config.held_seconds and door.open and turn.now >= door.since + config.held_seconds:
            shown = visible(config.door)
            text = Text(f"`{shown}` is held open", f"`{shown}` 久开未关")
            loud(turn, Alarm.HELD, text, door=config.door)
