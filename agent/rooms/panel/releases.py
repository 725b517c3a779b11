"""From a release to what became of it: used, unused, failed, or unknown because the agent was away.

Rules of this file: a release is asked for only after its entries, in the same step (contract C2). It is settled once,
by the strike's answer and the door's contact where there is one; without a contact the answer alone counts, and one
that the device does not bear out leaves open whether anybody went through. A release
whose entry could not be written never happened on the way in, and happens all the same on the way out.
"""

from typing import Literal

from msgspec.structs import replace

from agent.doors.messages import Contact, Flush, Refuse, Release, Released, Side
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, RecordEntry, Settled
from agent.rooms.panel.events import Freed, ReleaseUnrecorded
from agent.rooms.panel.occupancy import moved
from agent.rooms.panel.state import MOST_PASSAGES, Passer, PendingRelease
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible

Outcome = Literal["used", "unused", "failed", "unknown"]
REFUSED = Text("refused", "拒绝进入")
_UNCONFIRMED = Text(
    "the board said that it opened, and its lock did not read as open", "控制器称已开门，但其锁状态未显示开启"
)


def next_id(turn: PanelStep) -> str:
    """Return the id of the next release; ids of one room are never used twice."""
    turn.set(count=turn.state.count + 1)
    return f"{turn.config.room}/{turn.state.count}"


def release(
    turn: PanelStep, door: DoorConfig, side: Side, people: tuple[Passer, ...], records: tuple[RecordEntry, ...]
) -> None:
    """Ask for the entries, all of one new release, and then for the strike. *people* are those known to go through."""
    for oldest in turn.state.passages[: max(0, len(turn.state.passages) + 1 - MOST_PASSAGES)]:
        _settle(turn, oldest, "unknown")
    id_, until = records[0].release, turn.now + door.strike_seconds + turn.config.answer_seconds
    known = turn.state.door(door.door)
    opened = known.open is True  # it stands open: nobody will see it open again
    passage = PendingRelease(id_, door.door, side, people, turn.now, until, opened=opened)
    turn.set(passages=(*turn.state.passages, passage))
    turn.set_door(door.door, free_until=max(known.free_until, until))
    turn.do(*records, Release(id_, door.door, side, door.strike_seconds))


def released(turn: PanelStep, event: Released) -> None:
    """The strike answered."""
    passage = next((one for one in turn.state.passages if one.id == event.id), None)
    if passage is None:
        return  # settled already, or never ours
    if not event.ok:
        text = Text(f"`{visible(passage.door)}` was not released", f"`{visible(passage.door)}` 未能释放")
        turn.alarm(AlarmKind.NOT_RELEASED, event.why or text, door=passage.door)
        _not_free(turn, passage)
        _settle(turn, passage, "failed", event.why)
        return
    if not event.confirmed:
        turn.note("unconfirmed", _UNCONFIRMED, door=passage.door)
    _replace(turn, replace(passage, answered=True, confirmed=event.confirmed))
    _settle_used(turn, passage.door)


def unrecorded(turn: PanelStep, event: ReleaseUnrecorded) -> None:
    """The log took no entry: nobody goes in by this release, and nobody is kept from going out."""
    passage = next((one for one in turn.state.passages if one.id == event.id), None)
    text = Text("the log takes no entries: nobody is let in", "日志无法写入：一律不得进入")
    turn.alarm(AlarmKind.UNRECORDED, text, door=passage.door if passage else "")
    if passage is not None and passage.side == "in":
        _not_free(turn, passage)
        _drop(turn, passage)
        turn.do(Refuse(passage.door, passage.side, REFUSED))


def opened(turn: PanelStep, event: Contact) -> None:
    """The door opened: whoever was let through is through."""
    for passage in turn.state.passages:
        if passage.door == event.door:
            _replace(turn, replace(passage, opened=True))
    _settle_used(turn, event.door)


def closed(turn: PanelStep, event: Contact) -> None:
    """The door is closed. After a restart that is all there is to know about what was asked of it before."""
    for passage in turn.state.passages:
        if passage.door == event.door and passage.blind and not passage.opened:
            _settle(turn, passage, "unknown")


def expire(turn: PanelStep) -> None:
    """Settle what has had its time."""
    for passage in turn.state.passages:
        if turn.now < passage.until:
            continue
        if passage.opened:  # the strike never said so, and the door did
            _settle(turn, passage, "used")
        else:
            _settle(turn, passage, "unused" if passage.answered else "unknown")


def restarted(turn: PanelStep) -> None:
    """What was asked of a strike before the restart may never be answered; the next word of the contact counts."""
    for passage in turn.state.passages:
        until = min(passage.until, turn.now + turn.config.answer_seconds)
        _replace(turn, replace(passage, blind=True, until=until))


def seen(turn: PanelStep, person: str, side: Side) -> None:
    """Somebody shows his badge on one side: what let him through to there was used, if the door can have opened."""
    for passage in turn.state.passages:
        through = passage.opened or not _has_contact(turn, passage.door)
        if through and passage.side != side and person in {one.person for one in passage.people}:
            _settle(turn, passage, "used")


def clamp(turn: PanelStep) -> None:
    """The clock has gone back: nothing that was open for a while stays open for longer."""
    for passage in turn.state.passages:
        until = turn.now + turn.config.answer_seconds
        _replace(turn, replace(passage, at=0.0, until=min(passage.until, until)))  # at 0: the strike has ended
    for door in turn.state.doors:
        turn.set_door(door.door, since=min(door.since, turn.now), free_until=min(door.free_until, turn.now))


def waits_at(turn: PanelStep, door: DoorConfig, side: Side) -> tuple[PendingRelease, ...]:
    """Return the releases at *door* that hold it open now, newest last."""
    return tuple(
        one
        for one in turn.state.passages
        if (one.door, one.side) == (door.door, side) and turn.now < one.at + door.strike_seconds
    )


def take_back(turn: PanelStep, person: str = "") -> None:
    """Take back what the strike has not answered of the ways in (of *person*), as far as that is still possible.

    Not where somebody waits for the strike on the way out: taking one back takes back what is on its way to the door.
    """
    unanswered = [one for one in turn.state.passages if not one.answered]
    wait_to_leave = {one.door for one in unanswered if one.side == "out"}
    ways_in = [one for one in unanswered if one.side == "in" and person in ("", *(some.person for some in one.people))]
    for door in dict.fromkeys(one.door for one in ways_in):
        if door not in wait_to_leave:
            turn.do(Flush(door))


def freed(turn: PanelStep, event: Freed) -> None:
    """An officer had the strike released from afar: the door may open, and nobody is counted."""
    until = turn.now + event.seconds + turn.config.answer_seconds
    turn.set_door(event.door, free_until=max(turn.state.door(event.door).free_until, until))


def _settle_used(turn: PanelStep, door: str) -> None:
    for passage in turn.state.passages:
        if passage.door != door or not passage.answered:
            continue
        if passage.opened or (passage.confirmed and not _has_contact(turn, door)):
            _settle(turn, passage, "used")
        elif not _has_contact(turn, door):
            _settle(turn, passage, "unknown", _UNCONFIRMED)


def _settle(turn: PanelStep, passage: PendingRelease, outcome: Outcome, why: Text | None = None) -> None:
    _drop(turn, passage)
    turn.do(Settled(passage.id, passage.door, outcome, why))
    if outcome == "used":
        moved(turn, passage.people, passage.door, passage.side)
    elif outcome == "unknown" and passage.people and (passage.blind or not _has_contact(turn, passage.door)):
        moved(turn, passage.people, passage.door, passage.side, sure=False)


def _has_contact(turn: PanelStep, door: str) -> bool:
    config = turn.config.door(door)
    return config is not None and config.contact


def _not_free(turn: PanelStep, passage: PendingRelease) -> None:
    """The door may not open on account of *passage*; it still may on account of another."""
    others = [one.until for one in turn.state.passages if one.door == passage.door and one.id != passage.id]
    turn.set_door(passage.door, free_until=max(others, default=turn.now))


def _replace(turn: PanelStep, passage: PendingRelease) -> None:
    turn.set(passages=tuple(passage if one.id == passage.id else one for one in turn.state.passages))


def _drop(turn: PanelStep, passage: PendingRelease) -> None:
    turn.set(passages=tuple(one for one in turn.state.passages if one.id != passage.id))
