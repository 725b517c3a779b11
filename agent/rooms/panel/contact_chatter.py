"""A contact that changes faster than a leaf can swing: one alarm with a count instead of an entry for every change.

Rules of this file: a contact flutters from more than ``flutter_changes`` changes in ``flutter_seconds`` on, until such
a time has no more than half of them. Meanwhile it proves nothing, so the door is not known to be closed: it counts as
open, an alarm about it does not end, and an opening nobody was let through by is forced as ever. What the contact says
when it is calm again counts (:func:`agent.rooms.panel.contact.calm`). The count is in the log at the end, and now and
then before that.
"""

from msgspec.structs import replace

from agent.doors.messages import Contact
from agent.rooms.panel.alarms import over
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.state import ContactChatter
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible

SUMMARY = 600.0  # seconds after which a contact that still flutters is written about again


def changed(turn: PanelStep, event: Contact) -> bool:
    """Count a change of a contact; return whether it is one: the same word twice changes nothing."""
    found = _of(turn, event.door)
    before = found.open if found and found.began is not None else turn.state.door(event.door).open
    if before is event.open:
        return False
    found = found or ContactChatter(event.door, turn.now)
    found = replace(found, changes=found.changes + 1, open=event.open)
    if found.began is None and found.changes > turn.config.flutter_changes:
        found = replace(found, began=turn.now)
        _begins(turn, event.door, found.changes)
    _keep(turn, found)
    return True


def fluttering(turn: PanelStep, door: str) -> bool:
    """Whether what the contact of *door* says is counted and no more."""
    found = _of(turn, door)
    return found is not None and found.began is not None


def ended(turn: PanelStep) -> tuple[ContactChatter, ...]:
    """End the times that are over; return the contacts that are calm again, with what they said last."""
    calm: list[ContactChatter] = []
    for one in turn.state.fleeting.flutters:
        if turn.now < one.since + turn.config.flutter_seconds:
            continue
        counted = replace(one, since=turn.now, changes=0, total=one.total + one.changes)
        if one.began is None:
            _forget(turn, one)
        elif one.changes <= turn.config.flutter_changes // 2:
            _forget(turn, one)
            _sum_up(turn, counted)
            over(turn, AlarmKind.FLUTTER, door=one.door)
            calm.append(one)
        elif turn.now >= one.began + SUMMARY:
            _sum_up(turn, counted)
            _keep(turn, replace(counted, began=turn.now, total=0))
        else:
            _keep(turn, counted)
    return tuple(calm)


def clamp(turn: PanelStep) -> None:
    """The clock has gone back: no time lasts longer for that."""
    flutters = turn.state.fleeting.flutters
    earlier = (None if one.began is None else min(one.began, turn.now) for one in flutters)
    kept = (replace(one, since=min(one.since, turn.now), began=at) for one, at in zip(flutters, earlier, strict=True))
    turn.set_fleeting(flutters=tuple(kept))


def _begins(turn: PanelStep, door: str, changes: int) -> None:
    known = turn.state.door(door)
    if not known.open:
        turn.set_door(door, open=True, since=turn.now)
    shown, seconds = visible(door), round(turn.config.flutter_seconds)
    text = Text(
        f"the contact of `{shown}` changed `{changes}` times within {seconds} s: nobody knows whether it is closed",
        f"`{shown}` 的门磁在 {seconds} 秒内变化 `{changes}` 次：无法确认门是否关闭",
    )
    turn.alarm(AlarmKind.FLUTTER, text, door=door)


def _sum_up(turn: PanelStep, one: ContactChatter) -> None:
    assert one.began is not None
    shown, seconds = visible(one.door), round(turn.now - one.began)
    text = Text(
        f"the contact of `{shown}` changed `{one.total}` times in {seconds} s",
        f"`{shown}` 的门磁在 {seconds} 秒内变化 `{one.total}` 次",
    )
    turn.note("flutter", text, door=one.door)


def _of(turn: PanelStep, door: str) -> ContactChatter | None:
    return next((one for one in turn.state.fleeting.flutters if one.door == door), None)


def _keep(turn: PanelStep, one: ContactChatter) -> None:
    others = (other for other in turn.state.fleeting.flutters if other.door != one.door)
    turn.set_fleeting(flutters=(*others, one))


def _forget(turn: PanelStep, one: ContactChatter) -> None:
    turn.set_fleeting(flutters=tuple(other for other in turn.state.fleeting.flutters if other.door != one.door))
