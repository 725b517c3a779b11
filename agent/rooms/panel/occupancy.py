"""Occupancy: the list of persons inside, derived from strike and contact, which an officer can correct.

Rules of this file: a person is inside from the moment they are known to have entered until they are known to have left.
Where the agent was not running in between, the list says "perhaps" (``sure`` is false). The list decides nothing by
itself; its consequences are decided by the rules.
"""

from agent.doors.messages import Side
from agent.rooms.panel.alarms import over
from agent.rooms.panel.effects import AlarmKind, Moved
from agent.rooms.panel.events import BadgeGone, DayOver, Reset, Withdrawn
from agent.rooms.panel.state import Occupant, Passer
from agent.rooms.panel.step import PanelStep
from rules.text import Message


def moved(turn: PanelStep, people: tuple[Passer, ...], door: str, side: Side, *, sure: bool = True) -> None:
    """Record that *people* passed *door*, for sure or perhaps; an exit without people is an unidentified person."""
    for passer in people:
        if side == "in":
            _enter(turn, passer, door, sure=sure)
        else:
            _leave(turn, passer, door, sure=sure)
    if side == "out" and not people:
        turn.set(unseen=turn.state.unseen + 1)
        turn.note("left", Message("rooms.exit-by-button"), door=door)
    check_company(turn)


def reset(turn: PanelStep, event: Reset) -> None:
    """Remove one person, or everybody, from the list by act of an officer."""
    for occupant in turn.state.occupants:
        if event.person in ("", occupant.person):
            person_name = occupant.person
            turn.note("reset", Message("rooms.occupancy-reset", person=person_name), person=occupant.person)
            _leave(turn, Passer(occupant.person, occupant.badge), occupant.door, sure=True)
    if not event.person:
        turn.set(unseen=0)
    check_company(turn)


def day_over(turn: PanelStep, event: DayOver) -> None:
    """Remove persons on the list since before the reset: they left by the button, or behind another person."""
    for occupant in turn.state.occupants:
        if occupant.since < event.before:
            person_name = occupant.person
            text = Message("rooms.occupancy-day-over", person=person_name)
            turn.note("day-over", text, person=occupant.person)
            _leave(turn, Passer(occupant.person, occupant.badge), occupant.door, sure=True)
    if not turn.state.occupants:
        turn.set(unseen=0)
    check_company(turn)


def withdrawn(turn: PanelStep, event: Withdrawn) -> None:
    """Process a loss of access: the person no longer waits, may leave, and raises an alarm while inside."""
    fleeting = turn.state.fleeting
    turn.set_fleeting(
        waiting=tuple(entry for entry in fleeting.waiting if entry.person != event.person),
        pin_attempts=tuple(entry for entry in fleeting.pin_attempts if entry.person != event.person),
    )
    if event.person in {entry.person for entry in turn.state.occupants}:
        person_name, rule = event.person, event.rule
        text = Message("rooms.stopped-while-inside", person=person_name, rule=rule)
        turn.alarm(AlarmKind.STOPPED_INSIDE, text, person=event.person)


def badge_gone(turn: PanelStep, event: BadgeGone) -> None:
    """Raise the alarm for a person whose entry badge is no longer theirs; they stay listed until an officer acts."""
    if event.person not in {occupant.person for occupant in turn.state.occupants}:
        return
    person_name, card, room, owner = event.person, event.badge, turn.config.room, event.owner
    change = Message("rooms.badge-reassigned", owner=owner) if owner else Message("rooms.badge-withdrawn")
    command = f"shoumi occupancy reset {room} {person_name} --reason"
    text = Message(
        "rooms.inside-with-lost-badge", person=person_name, room=room, card=card, change=change, command=command
    )
    turn.alarm(AlarmKind.BADGE_GONE, text, person=event.person)


def check_company(turn: PanelStep) -> None:
    """Raise or end the alarms for one person where two must be, and for a visitor without their escort."""
    inside = [occupant for occupant in turn.state.occupants if occupant.sure]
    cleared = [occupant for occupant in inside if not occupant.escort]
    if turn.config.settings.lone_alarm and len(cleared) == 1:
        person_name = cleared[0].person
        turn.alarm(AlarmKind.LONE, Message("rooms.alone-inside", person=person_name), person=cleared[0].person)
    else:
        over(turn, AlarmKind.LONE)
    persons = {occupant.person for occupant in inside}
    alone = [occupant for occupant in inside if occupant.escort and occupant.escort not in persons]
    for occupant in alone:
        person_name = occupant.person
        text = Message("rooms.inside-without-escort", person=person_name)
        turn.alarm(AlarmKind.UNESCORTED, text, person=occupant.person)
    if not alone:
        over(turn, AlarmKind.UNESCORTED)


def _enter(turn: PanelStep, passer: Passer, door: str, *, sure: bool) -> None:
    present = next((occupant for occupant in turn.state.occupants if occupant.person == passer.person), None)
    if present is not None and present.sure and not sure:
        return  # inside already: an unconfirmed second entry does not make that less sure
    other_occupants = tuple(occupant for occupant in turn.state.occupants if occupant.person != passer.person)
    turn.set(occupants=(*other_occupants, Occupant(passer.person, passer.badge, door, turn.now, sure, passer.escort)))
    turn.do(Moved(passer.person, passer.badge, door, inside=True, sure=sure))


def _leave(turn: PanelStep, passer: Passer, door: str, *, sure: bool) -> None:
    present = next((occupant for occupant in turn.state.occupants if occupant.person == passer.person), None)
    if present is None:
        return
    other_occupants = tuple(occupant for occupant in turn.state.occupants if occupant.person != passer.person)
    if sure:
        turn.set(occupants=other_occupants)
        over(turn, AlarmKind.BADGE_GONE, person=passer.person)
    else:
        perhaps = Occupant(
            present.person, present.badge, present.door, present.since, sure=False, escort=present.escort
        )
        turn.set(occupants=(*other_occupants, perhaps))
    turn.do(Moved(passer.person, passer.badge, door, inside=not sure, sure=sure))
