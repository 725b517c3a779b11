"""The way in: one badge, or several that enter together, decided by the rules and recorded before the strike.

Rules of this file: nobody is let in but by a verdict of this very step. Who waits for his second, or a visitor for his
escort, is judged again when another badge comes, each with those who would go with him, until everybody left is
allowed; the door is released once, for all of them. A denial is recorded as it was found.
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
from rules.text import Text
from rules.visible import visible

_SECOND = Text("second badge", "请第二人刷卡")
_WAIT_FOR = {"two-person", "escort"}  # what another badge at the same door can still change


@dataclass(frozen=True, slots=True)
class _Comer:
    """Somebody at the door, and what he brought."""

    person: str
    badge: str
    pin: bool
    stated: Statement


def badge_shown(turn: PanelStep, door: DoorConfig, read: Read, holder: BadgeHolder | None, doubt: str) -> None:
    """A badge was shown on the way in."""
    pins.drop(turn, door.door)
    if holder is None or doubt:
        _denied_at_once(turn, door, read, holder, doubt)
        return
    _come(turn, door, _Comer(holder.person, holder.badge, pin=False, stated=turn.desk.stated(holder.person)))


def pin_entered(turn: PanelStep, door: DoorConfig, asked: AskedPin) -> None:
    """A PIN was finished after a badge."""
    right = pins.right(turn, asked)
    comer = _Comer(asked.person, asked.badge, pin=right, stated=turn.desk.stated(asked.person))
    if right:
        _come(turn, door, comer)
    else:
        _deny(turn, door, comer, _judge(turn, comer, (comer,)), pinned=True)


def expire(turn: PanelStep) -> None:
    """Nobody waits for his second for longer than the room says."""
    waiting = turn.state.fleeting.waiting
    for one in waiting:
        if turn.now >= one.until:
            turn.do(Refuse(one.door, "in", releases.REFUSED))
    turn.set_fleeting(waiting=tuple(one for one in waiting if turn.now < one.until))


def _come(turn: PanelStep, door: DoorConfig, comer: _Comer) -> None:
    waiting = [one for one in turn.state.fleeting.waiting if one.door == door.door and one.person != comer.person]
    others = [_Comer(one.person, one.badge, one.pin, turn.desk.stated(one.person)) for one in waiting]
    group, verdicts = _agreed(turn, comer, others)
    verdict = verdicts[comer.person]
    _told_of_two_places(turn, door, comer, verdict)
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


def _agreed(turn: PanelStep, comer: _Comer, others: list[_Comer]) -> tuple[list[_Comer], Mapping[str, Verdict]]:
    """Return a group in which everybody is allowed with the others, and its verdicts.

    Whoever is not allowed stays behind, one at a time and the last to have come first. If that leaves *comer* denied,
    his verdict is the one with everybody there: it says what another badge would not change.
    """
    group = [comer, *others]
    with_everybody: Verdict | None = None
    while True:
        verdicts = {one.person: _judge(turn, one, tuple(group)) for one in group}
        with_everybody = with_everybody or verdicts[comer.person]
        denied = [one for one in group[1:] if not verdicts[one.person].allow]
        if not denied:
            break
        group = [one for one in group if one is not denied[-1]]
    if not (verdicts[comer.person].allow or with_everybody.allow):
        verdicts[comer.person] = with_everybody
    return group, verdicts


def _judge(turn: PanelStep, comer: _Comer, group: tuple[_Comer, ...]) -> Verdict:
    inside = {one.person: one.badge for one in turn.state.occupants if one.sure}
    shown = {**inside, **{one.person: one.badge for one in group}}
    beside = set(shown if turn.config.settings.accompany else (one.person for one in group)) | {comer.stated.escort}
    request = Request(
        persons=(comer.person,),
        resource=turn.config.room,
        action=Action.ENTER,
        companions=tuple(one for one in shown if one in beside - {comer.person}),
        purpose=comer.stated.purpose,
        declared=comer.stated.declared,
        pin=comer.pin,
        inside=frozenset(inside),
    )
    return turn.desk.judge(request, shown)


def _let_in(turn: PanelStep, door: DoorConfig, group: list[_Comer], verdicts: Mapping[str, Verdict]) -> None:
    names = tuple(one.person for one in group)
    id_ = releases.next_id(turn)
    records = tuple(
        RecordEntry(
            door=door.door,
            side="in",
            action=Action.ENTER,
            person=one.person,
            badge=one.badge,
            verdict=verdicts[one.person],
            release=id_,
            together=tuple(name for name in names if name != one.person),
            purpose=one.stated.purpose,
            how="pin" if one.pin else "card",
        )
        for one in group
    )
    turn.set_fleeting(waiting=tuple(one for one in turn.state.fleeting.waiting if one.person not in names))
    people = tuple(Passer(one.person, one.badge, one.stated.escort) for one in group)
    releases.release(turn, door, "in", people, records)


def _wait(turn: PanelStep, door: DoorConfig, comer: _Comer) -> None:
    others = [one for one in turn.state.fleeting.waiting if one.person != comer.person]
    until = turn.now + turn.config.together_seconds
    waits = Waiting(door.door, comer.person, comer.badge, comer.pin, until)
    turn.set_fleeting(waiting=(*others[-(MOST_WAITING - 1) :], waits))
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
    """A card nobody holds, or a read nobody should trust: asked of the rules all the same, which deny it."""
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


def _told_of_two_places(turn: PanelStep, door: DoorConfig, comer: _Comer, verdict: Verdict) -> None:
    """The officers hear of a badge that is in two places, whether it is refused for that or not."""
    if turn.config.passback == "none" or not (verdict.allow or verdict.rule == "one-place"):
        return
    shown, room = visible(comer.person), turn.config.room
    if comer.person in turn.state.inside():
        text = Text(f"the badge of `{shown}` goes in twice", f"`{shown}` 的门禁卡重复进入")
        turn.alarm(AlarmKind.PASSBACK, text, door=door.door, person=comer.person)
    elsewhere = sorted(turn.desk.rooms_of(comer.person) - {room})
    if elsewhere:
        where = visible(elsewhere[0])
        text = Text(f"`{shown}` is in `{where}` and here", f"`{shown}` 同时在 `{where}` 和此处")
        turn.alarm(AlarmKind.TWO_PLACES, text, door=door.door, person=comer.person)
