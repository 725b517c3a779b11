"""Ingress: one badge, or several that enter together, decided by the rules and recorded before the strike.

Rules of this file: nobody is admitted except by a verdict of the same step. A person waiting for their second, or a
visitor waiting for their escort, is judged again when another badge is shown, each together with those who would enter
with them, until everybody remaining is allowed; the door is released once, for all of them. A denial is recorded with
the verdict that caused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.doors.messages import Read, Refuse, Signal
from agent.rooms.panel import pins, releases
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind, RecordEntry
from agent.rooms.panel.interface import BadgeHolder, Statement
from agent.rooms.panel.state import MOST_WAITING, AskedPin, Passer, Waiting
from agent.rooms.panel.step import PanelStep
from rules.model import Action, Request, Verdict
from rules.text import Message

_SECOND = Message("rooms.second-badge")
_WAIT_FOR = {"two-person", "escort"}  # denials that another badge at the same door can lift


@dataclass(frozen=True, slots=True)
class _Comer:
    """A person at the door, with their badge, PIN result and statement."""

    person: str
    badge: str
    pin: bool
    stated: Statement


def badge_shown(turn: PanelStep, door: DoorConfig, read: Read, holder: BadgeHolder | None, doubt: str) -> None:
    """Process a badge shown at an entry reader."""
    pins.drop(turn, door.door)
    if holder is None or doubt:
        _denied_at_once(turn, door, read, holder, doubt)
        return
    _come(turn, door, _Comer(holder.person, holder.badge, pin=False, stated=turn.desk.stated(holder.person)))


def pin_entered(turn: PanelStep, door: DoorConfig, attempt: AskedPin) -> None:
    """Process a complete PIN after a badge."""
    right = pins.right(turn, attempt)
    comer = _Comer(attempt.person, attempt.badge, pin=right, stated=turn.desk.stated(attempt.person))
    if right:
        _come(turn, door, comer)
    else:
        _deny(turn, door, comer, _judge(turn, comer, (comer,)), pinned=True)


def expire(turn: PanelStep) -> None:
    """Drop persons who have waited for their second longer than the room allows."""
    waiting = turn.state.fleeting.waiting
    for entry in waiting:
        if turn.now >= entry.until:
            turn.do(Refuse(entry.door, "in", releases.REFUSED))
    turn.set_fleeting(waiting=tuple(entry for entry in waiting if turn.now < entry.until))


def _come(turn: PanelStep, door: DoorConfig, comer: _Comer) -> None:
    waiting = [
        entry for entry in turn.state.fleeting.waiting if entry.door == door.door and entry.person != comer.person
    ]
    other_comers = [_Comer(entry.person, entry.badge, entry.pin, turn.desk.stated(entry.person)) for entry in waiting]
    group, verdicts = _agreed(turn, comer, other_comers)
    verdict = verdicts[comer.person]
    _alarm_two_places(turn, door, comer, verdict)
    if verdict.allow:
        _let_in(turn, door, group, verdicts)
    elif verdict.rule == "pin" and not pins.locked(turn, comer.person, comer.badge):
        _deny(turn, door, comer, verdict, refuse=False)
        pins.ask(turn, door.door, comer.person, comer.badge)
    elif verdict.rule in _WAIT_FOR:
        _deny(turn, door, comer, verdict, refuse=False)
        _wait(turn, door, comer)
    else:
        _deny(turn, door, comer, verdict)


def _agreed(turn: PanelStep, comer: _Comer, other_comers: list[_Comer]) -> tuple[list[_Comer], Mapping[str, Verdict]]:
    """Return a group in which everybody is allowed with the others, and its verdicts.

    Denied members are removed one at a time, the latest first. If that leaves *comer* denied, their verdict is the one
    with everybody present: it states the reason another badge would not lift.
    """
    group = [comer, *other_comers]
    with_everybody: Verdict | None = None
    while True:
        verdicts = {member.person: _judge(turn, member, tuple(group)) for member in group}
        with_everybody = with_everybody or verdicts[comer.person]
        denied = [member for member in group[1:] if not verdicts[member.person].allow]
        if not denied:
            break
        group = [member for member in group if member is not denied[-1]]
    if not (verdicts[comer.person].allow or with_everybody.allow):
        verdicts[comer.person] = with_everybody
    return group, verdicts


def _judge(turn: PanelStep, comer: _Comer, group: tuple[_Comer, ...]) -> Verdict:
    inside = {member.person: member.badge for member in turn.state.occupants if member.sure}
    badges = {**inside, **{member.person: member.badge for member in group}}
    candidates = set(badges if turn.config.settings.accompany else (member.person for member in group)) | {
        comer.stated.escort
    }
    request = Request(
        persons=(comer.person,),
        resource=turn.config.room,
        action=Action.ENTER,
        companions=tuple(member for member in badges if member in candidates - {comer.person}),
        purpose=comer.stated.purpose,
        declared=comer.stated.declared,
        pin=comer.pin,
        inside=frozenset(inside),
    )
    return turn.desk.judge(request, badges)


def _let_in(turn: PanelStep, door: DoorConfig, group: list[_Comer], verdicts: Mapping[str, Verdict]) -> None:
    names = tuple(member.person for member in group)
    id_ = releases.next_id(turn)
    records = tuple(
        RecordEntry(
            door=door.door,
            side="in",
            action=Action.ENTER,
            person=member.person,
            badge=member.badge,
            verdict=verdicts[member.person],
            release=id_,
            together=tuple(name for name in names if name != member.person),
            purpose=member.stated.purpose,
            how="pin" if member.pin else "card",
        )
        for member in group
    )
    turn.set_fleeting(waiting=tuple(member for member in turn.state.fleeting.waiting if member.person not in names))
    people = tuple(Passer(member.person, member.badge, member.stated.escort) for member in group)
    releases.release(turn, door, "in", people, records)


def _wait(turn: PanelStep, door: DoorConfig, comer: _Comer) -> None:
    earlier = [entry for entry in turn.state.fleeting.waiting if entry.person != comer.person]
    until = turn.now + turn.config.together_seconds
    waits = Waiting(door.door, comer.person, comer.badge, comer.pin, until)
    turn.set_fleeting(waiting=(*earlier[-(MOST_WAITING - 1) :], waits))
    turn.do(Signal(door.door, "in", "amber", "once", _SECOND))


def _deny(
    turn: PanelStep, door: DoorConfig, comer: _Comer, verdict: Verdict, *, refuse: bool = True, pinned: bool = False
) -> None:
    turn.do(
        RecordEntry(
            door=door.door,
            side="in",
            action=Action.ENTER,
            person=comer.person,
            badge=comer.badge,
            verdict=verdict,
            purpose=comer.stated.purpose,
            how="pin" if comer.pin or pinned else "card",
        )
    )
    if refuse:
        turn.do(Refuse(door.door, "in", releases.REFUSED))


def _denied_at_once(turn: PanelStep, door: DoorConfig, read: Read, holder: BadgeHolder | None, doubt: str) -> None:
    """Record the denial of an unknown card or an untrusted read, with the verdict of the rules."""
    person = holder.person if holder else ""
    request = Request(
        persons=(person,) if person else (),
        resource=turn.config.room,
        action=Action.ENTER,
        nobody="" if person else f"card {read.card}",
        inside=turn.state.inside(),
        doubt=doubt,
    )
    badge = holder.badge if holder else str(read.card)
    verdict = turn.desk.judge(request, {person: badge} if person else {})
    turn.do(
        RecordEntry(door.door, "in", Action.ENTER, person, badge, verdict, secure=read.secure),
        Refuse(door.door, "in", releases.REFUSED),
    )


def _alarm_two_places(turn: PanelStep, door: DoorConfig, comer: _Comer, verdict: Verdict) -> None:
    """Raise the alarm for a badge in two places, whether it is denied for that or not."""
    if turn.config.passback == "none" or not (verdict.allow or verdict.rule == "one-place"):
        return
    person_name, room = comer.person, turn.config.room
    if comer.person in turn.state.inside():
        text = Message("rooms.entered-twice", person=person_name)
        turn.alarm(AlarmKind.PASSBACK, text, door=door.door, person=comer.person)
    elsewhere = sorted(turn.desk.rooms_of(comer.person) - {room})
    if elsewhere:
        other_room = elsewhere[0]
        text = Message("rooms.in-two-places", person=person_name, room=other_room)
        turn.alarm(AlarmKind.TWO_PLACES, text, door=door.door, person=comer.person)
