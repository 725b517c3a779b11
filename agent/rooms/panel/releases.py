"""Releases and their outcomes: used, unused, failed, or unknown because the agent was not running.

Rules of this file: a release follows its log entries in the same step (contract C2). It is settled once, by the
strike's answer and the door's contact where there is one; without a contact the answer alone counts, and an unconfirmed
answer leaves open whether anybody passed. A release whose log entry could not be written is not carried out on the way
in, and is carried out all the same on the way out.
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
from rules.text import Message

Outcome = Literal["used", "unused", "failed", "unknown"]
REFUSED = Message("rooms.access-denied")
_UNCONFIRMED = Message("rooms.release-unconfirmed")


def next_id(turn: PanelStep) -> str:
    """Return the id of the next release; ids of one room are never used twice."""
    turn.set(count=turn.state.count + 1)
    return f"{turn.config.room}/{turn.state.count}"


def release(
    turn: PanelStep, door: DoorConfig, side: Side, people: tuple[Passer, ...], records: tuple[RecordEntry, ...]
) -> None:
    """Emit the log entries of one new release, and then the release. *people*: the identified persons passing."""
    for oldest in turn.state.passages[: max(0, len(turn.state.passages) + 1 - MOST_PASSAGES)]:
        _settle(turn, oldest, "unknown")
    id_, until = records[0].release, turn.now + door.strike_seconds + turn.config.answer_seconds
    position = turn.state.door(door.door)
    opened = position.open is True  # it stands open already: no opening event will follow
    passage = PendingRelease(id_, door.door, side, people, turn.now, until, opened=opened)
    turn.set(passages=(*turn.state.passages, passage))
    turn.set_door(door.door, free_until=max(position.free_until, until))
    turn.do(*records, Release(id_, door.door, side, door.strike_seconds))


def released(turn: PanelStep, event: Released) -> None:
    """Process the answer of the strike."""
    passage = next((entry for entry in turn.state.passages if entry.id == event.id), None)
    if passage is None:
        return  # settled already, or unknown
    if not event.ok:
        text = Message("rooms.release-failed", door=passage.door)
        turn.alarm(AlarmKind.NOT_RELEASED, event.why or text, door=passage.door)
        _not_free(turn, passage)
        _settle(turn, passage, "failed", event.why)
        return
    if not event.confirmed:
        turn.note("unconfirmed", _UNCONFIRMED, door=passage.door)
    _replace(turn, replace(passage, answered=True, confirmed=event.confirmed))
    _settle_used(turn, passage.door)


def unrecorded(turn: PanelStep, event: ReleaseUnrecorded) -> None:
    """Process a failed log entry: this release admits nobody; an exit is not stopped."""
    passage = next((entry for entry in turn.state.passages if entry.id == event.id), None)
    text = Message("rooms.log-unavailable")
    turn.alarm(AlarmKind.UNRECORDED, text, door=passage.door if passage else "")
    if passage is not None and passage.side == "in":
        _not_free(turn, passage)
        _drop(turn, passage)
        turn.do(Refuse(passage.door, passage.side, REFUSED))


def opened(turn: PanelStep, event: Contact) -> None:
    """Process an opening of the door: the persons of its releases have passed."""
    for passage in turn.state.passages:
        if passage.door == event.door:
            _replace(turn, replace(passage, opened=True))
    _settle_used(turn, event.door)


def closed(turn: PanelStep, event: Contact) -> None:
    """Process a closing of the door. After a restart it settles the earlier releases as unknown."""
    for passage in turn.state.passages:
        if passage.door == event.door and passage.blind and not passage.opened:
            _settle(turn, passage, "unknown")


def expire(turn: PanelStep) -> None:
    """Settle expired releases."""
    for passage in turn.state.passages:
        if turn.now < passage.until:
            continue
        if passage.opened:  # no answer of the strike, but the door opened
            _settle(turn, passage, "used")
        else:
            _settle(turn, passage, "unused" if passage.answered else "unknown")


def restarted(turn: PanelStep) -> None:
    """Mark open releases after a restart: they may never be answered, and the next contact event settles them."""
    for passage in turn.state.passages:
        until = min(passage.until, turn.now + turn.config.answer_seconds)
        _replace(turn, replace(passage, blind=True, until=until))


def settle_by_badge(turn: PanelStep, person: str, side: Side) -> None:
    """Settle as used the release by which *person* reached *side*, where their badge is shown, if the door opened."""
    for passage in turn.state.passages:
        through = passage.opened or not _has_contact(turn, passage.door)
        if through and passage.side != side and person in {passer.person for passer in passage.people}:
            _settle(turn, passage, "used")


def clamp(turn: PanelStep) -> None:
    """Shorten all releases after the clock went back, so that none lasts longer."""
    for passage in turn.state.passages:
        until = turn.now + turn.config.answer_seconds
        _replace(turn, replace(passage, at=0.0, until=min(passage.until, until)))  # at 0: the strike has ended
    for door in turn.state.doors:
        turn.set_door(door.door, since=min(door.since, turn.now), free_until=min(door.free_until, turn.now))


def waits_at(turn: PanelStep, door: DoorConfig, side: Side) -> tuple[PendingRelease, ...]:
    """Return the releases that keep the strike of *door* open now, newest last."""
    return tuple(
        passage
        for passage in turn.state.passages
        if (passage.door, passage.side) == (door.door, side) and turn.now < passage.at + door.strike_seconds
    )


def take_back(turn: PanelStep, person: str = "") -> None:
    """Withdraw unanswered releases for entry (of *person*), as far as that is still possible.

    Not at a door with an unanswered exit release: a withdrawal affects all commands on their way to the door.
    """
    unanswered = [passage for passage in turn.state.passages if not passage.answered]
    wait_to_leave = {passage.door for passage in unanswered if passage.side == "out"}
    ways_in = [
        passage
        for passage in unanswered
        if passage.side == "in" and person in ("", *(passer.person for passer in passage.people))
    ]
    for door in dict.fromkeys(passage.door for passage in ways_in):
        if door not in wait_to_leave:
            turn.do(Flush(door))


def freed(turn: PanelStep, event: Freed) -> None:
    """Process a remote release by an officer: the door may open, and nobody is counted."""
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


def _settle(turn: PanelStep, passage: PendingRelease, outcome: Outcome, reason: Message | None = None) -> None:
    _drop(turn, passage)
    turn.do(Settled(passage.id, passage.door, outcome, reason))
    if outcome == "used":
        moved(turn, passage.people, passage.door, passage.side)
    elif outcome == "unknown" and passage.people and (passage.blind or not _has_contact(turn, passage.door)):
        moved(turn, passage.people, passage.door, passage.side, sure=False)


def _has_contact(turn: PanelStep, door: str) -> bool:
    config = turn.config.door(door)
    return config is not None and config.contact


def _not_free(turn: PanelStep, passage: PendingRelease) -> None:
    """End the permission of *passage* to open the door; other releases keep theirs."""
    other_ends = [entry.until for entry in turn.state.passages if entry.door == passage.door and entry.id != passage.id]
    turn.set_door(passage.door, free_until=max(other_ends, default=turn.now))


def _replace(turn: PanelStep, passage: PendingRelease) -> None:
    turn.set(passages=tuple(passage if entry.id == passage.id else entry for entry in turn.state.passages))


def _drop(turn: PanelStep, passage: PendingRelease) -> None:
    turn.set(passages=tuple(entry for entry in turn.state.passages if entry.id != passage.id))
