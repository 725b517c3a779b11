"""Who is inside: the list follows what the strike and the contact bear out, and an officer can put it right.

Rules of this file: somebody is inside from the moment he is known to have gone in until he is known to have gone out.
Where the agent was away in between, the list says "perhaps" (``sure`` is false) and not one or the other. The list
decides nothing by itself; what follows from it is asked of the rules.
"""

from agent.doors.messages import Side
from agent.rooms.panel.alarms import over
from agent.rooms.panel.effects import AlarmKind, Moved
from agent.rooms.panel.events import BadgeGone, DayOver, Reset, Withdrawn
from agent.rooms.panel.state import Occupant, Passer
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible


def moved(turn: PanelStep, people: tuple[Passer, ...], door: str, side: Side, *, sure: bool = True) -> None:
    """*people* went through *door*, for sure or perhaps; whoever is nobody known went out uncounted."""
    for one in people:
        if side == "in":
            _enter(turn, one, door, sure=sure)
        else:
            _leave(turn, one, door, sure=sure)
    if side == "out" and not people:
        turn.set(unseen=turn.state.unseen + 1)
        turn.note("left", Text("somebody went out by the button", "有人按钮出门"), door=door)
    look(turn)


def reset(turn: PanelStep, event: Reset) -> None:
    """An officer says that somebody, or everybody, is not inside."""
    for one in turn.state.occupants:
        if event.person in ("", one.person):
            shown = visible(one.person)
            turn.note("reset", Text(f"`{shown}` is not inside", f"`{shown}` 不在场"), person=one.person)
            _leave(turn, Passer(one.person, one.badge), one.door, sure=True)
    if not event.person:
        turn.set(unseen=0)
    look(turn)


def day_over(turn: PanelStep, event: DayOver) -> None:
    """Take off the list whoever is on it since before: he went out by the button, or behind somebody else."""
    for one in turn.state.occupants:
        if one.since < event.before:
            shown = visible(one.person)
            text = Text(f"`{shown}` was still listed as inside", f"`{shown}` 仍在在场名单上")
            turn.note("day-over", text, person=one.person)
            _leave(turn, Passer(one.person, one.badge), one.door, sure=True)
    if not turn.state.occupants:
        turn.set(unseen=0)
    look(turn)


def withdrawn(turn: PanelStep, event: Withdrawn) -> None:
    """Somebody may not be here any more. He waits no longer; he may leave; if he is inside, the officers hear of it."""
    fleeting = turn.state.fleeting
    turn.set_fleeting(
        waiting=tuple(one for one in fleeting.waiting if one.person != event.person),
        asked=tuple(one for one in fleeting.asked if one.person != event.person),
    )
    if event.person in {one.person for one in turn.state.occupants}:
        shown, rule = visible(event.person), visible(event.rule)
        text = Text(f"`{shown}` is inside and stopped by `{rule}`", f"`{shown}` 在场，且被规则 `{rule}` 停止")
        turn.alarm(AlarmKind.STOPPED_INSIDE, text, person=event.person)


def badge_gone(turn: PanelStep, event: BadgeGone) -> None:
    """The badge somebody is inside by is not his any more: he stays on the list until an officer has seen to it."""
    if event.person not in {one.person for one in turn.state.occupants}:
        return
    who, card, room, owner = map(visible, (event.person, event.badge, turn.config.room, event.owner))
    became = Text(f"is `{owner}`'s now", f"现属 `{owner}`") if owner else Text("was taken from him", "已被收回或挂失")
    reset = f"shoumi occupancy reset {room} {who} --reason"
    text = Text(
        f"`{who}` is inside `{room}` by badge `{card}`, which {became.en}: see who is there; once he is out: {reset} …",
        f"`{who}` 持卡 `{card}` 在 `{room}` 内，该卡{became.zh}：请到场核实；本人离开后执行 {reset} …",
    )
    turn.alarm(AlarmKind.BADGE_GONE, text, person=event.person)


def look(turn: PanelStep) -> None:
    """See who is left alone: one person where two must be, a visitor without his escort."""
    inside = [one for one in turn.state.occupants if one.sure]
    cleared = [one for one in inside if not one.escort]
    if turn.config.settings.lone_alarm and len(cleared) == 1:
        shown = visible(cleared[0].person)
        turn.alarm(AlarmKind.LONE, Text(f"`{shown}` is alone inside", f"`{shown}` 单独在场"), person=cleared[0].person)
    else:
        over(turn, AlarmKind.LONE)
    there = {one.person for one in inside}
    alone = [one for one in inside if one.escort and one.escort not in there]
    for one in alone:
        shown = visible(one.person)
        text = Text(f"`{shown}` is inside without an escort", f"`{shown}` 在场而无人陪同")
        turn.alarm(AlarmKind.UNESCORTED, text, person=one.person)
    if not alone:
        over(turn, AlarmKind.UNESCORTED)


def _enter(turn: PanelStep, one: Passer, door: str, *, sure: bool) -> None:
    known = next((other for other in turn.state.occupants if other.person == one.person), None)
    if known is not None and known.sure and not sure:
        return  # he is inside already: another entry nobody saw makes that no less sure
    others = tuple(other for other in turn.state.occupants if other.person != one.person)
    turn.set(occupants=(*others, Occupant(one.person, one.badge, door, turn.now, sure, one.escort)))
    turn.do(Moved(one.person, one.badge, door, inside=True, sure=sure))


def _leave(turn: PanelStep, one: Passer, door: str, *, sure: bool) -> None:
    known = next((other for other in turn.state.occupants if other.person == one.person), None)
    if known is None:
        return
    others = tuple(other for other in turn.state.occupants if other.person != one.person)
    if sure:
        turn.set(occupants=others)
        over(turn, AlarmKind.BADGE_GONE, person=one.person)
    else:
        perhaps = Occupant(known.person, known.badge, known.door, known.since, sure=False, escort=known.escort)
        turn.set(occupants=(*others, perhaps))
    turn.do(Moved(one.person, one.badge, door, inside=not sure, sure=sure))
