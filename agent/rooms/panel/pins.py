"""Card and PIN: digits are collected for a time after the badge; a duress PIN opens and alarms the officers.

Rules of this file: digits are in memory only, for the duration of the attempt. Wrong PINs are counted per person in a
room, not per reader, and per badge in all rooms of the site, so that a found badge cannot be tried room by room; either
count locks, is cleared with time and by the correct PIN, and outlives a restart. Nothing at the door reveals a duress
PIN.
"""

from msgspec.structs import replace

from agent.doors.messages import KeyPress, Refuse, Signal
from agent.rooms.panel.effects import AlarmKind, RightPin
from agent.rooms.panel.state import MOST_PIN_COUNTS, AskedPin, PinCount
from agent.rooms.panel.step import PanelStep
from rules.text import Message

LONGEST_PIN = 12  # digits
NO_PIN = Message("rooms.no-pin")
_ASK = Message("rooms.enter-pin")


def ask(turn: PanelStep, door: str, person: str, badge: str) -> None:
    """Ask for a PIN at *door*; this replaces an earlier attempt there."""
    until = turn.now + turn.config.pin_seconds
    other_doors = tuple(attempt for attempt in turn.state.fleeting.pin_attempts if attempt.door != door)
    turn.set_fleeting(pin_attempts=(*other_doors, AskedPin(door, person, badge, "", until)))
    turn.do(Signal(door, "in", "amber", "once", _ASK))


def drop(turn: PanelStep, door: str) -> None:
    """Drop the PIN attempt at *door*."""
    turn.set_fleeting(
        pin_attempts=tuple(attempt for attempt in turn.state.fleeting.pin_attempts if attempt.door != door)
    )


def pressed(turn: PanelStep, event: KeyPress) -> AskedPin | None:
    """Process the keys of one event; return the attempt when it is complete (``#``), with its digits."""
    attempt = next((entry for entry in turn.state.fleeting.pin_attempts if entry.door == event.door), None)
    if attempt is None or event.side != "in":
        return None
    if not event.secure or event.stale or turn.back:
        drop(turn, event.door)
        turn.do(Refuse(event.door, "in", NO_PIN))
        return None
    for key in event.digits:
        if key == "#":
            drop(turn, event.door)
            return attempt
        if key == "*":
            attempt = replace(attempt, digits="")
        elif key in "0123456789":
            attempt = replace(
                attempt, digits=(attempt.digits + key)[: LONGEST_PIN + 1]
            )  # one too many is wrong, not cut
    other_doors = tuple(entry for entry in turn.state.fleeting.pin_attempts if entry.door != event.door)
    turn.set_fleeting(pin_attempts=(*other_doors, attempt))
    return None


def right(turn: PanelStep, attempt: AskedPin) -> bool:
    """Return whether the PIN of a complete attempt is correct; raise alarms for a duress PIN and for guessing."""
    if locked(turn, attempt.person, attempt.badge):
        return False  # locked meanwhile, by an attempt at another door
    answer = turn.desk.check_pin(attempt.person, attempt.digits) if len(attempt.digits) <= LONGEST_PIN else "wrong"
    if answer in ("ok", "duress"):
        forget(turn, attempt.person, attempt.badge)
        if turn.desk.wrong_pins(attempt.badge):
            turn.do(RightPin(attempt.person, attempt.badge))
        if answer == "duress":
            person_name, door_name = attempt.person, attempt.door
            text = Message("rooms.entry-under-duress", person=person_name, door=door_name)
            turn.alarm(AlarmKind.DURESS, text, door=attempt.door, person=attempt.person, silent=True)
        return True
    _count(turn, attempt)
    return False


def locked(turn: PanelStep, person: str, badge: str) -> bool:
    """Return whether too many consecutive wrong PINs were entered for the person here, or with the badge anywhere."""
    most = max(_wrong(turn, person, ""), _wrong(turn, person, badge), turn.desk.wrong_pins(badge))
    return most >= turn.config.pin_tries


def forget(turn: PanelStep, person: str, badge: str) -> None:
    """Clear the counts of a person after the correct PIN with *badge*; other badges may be in foreign hands."""
    remaining = (count for count in turn.state.pins if count.person != person or count.badge not in ("", badge))
    turn.set(pins=tuple(remaining))


def expire(turn: PanelStep) -> None:
    """Drop expired counts and attempts."""
    longest = turn.now + turn.config.pin_lock_seconds  # nothing lasts longer, also after the clock went back
    remaining = [replace(entry, until=min(entry.until, longest)) for entry in turn.state.pins if turn.now < entry.until]
    turn.set(pins=tuple(remaining))
    for entry in turn.state.fleeting.pin_attempts:
        if turn.now >= entry.until:
            drop(turn, entry.door)
            turn.do(Refuse(entry.door, "in", NO_PIN))


def _count(turn: PanelStep, attempt: AskedPin) -> None:
    person, badge = attempt.person, attempt.badge
    in_room, anywhere = _wrong(turn, person, ""), max(_wrong(turn, person, badge), turn.desk.wrong_pins(badge))
    forget(turn, person, badge)
    until = turn.now + turn.config.pin_lock_seconds
    counts = PinCount(person, in_room + 1, until), PinCount(person, anywhere + 1, until, badge)
    turn.set(pins=(*turn.state.pins[-(MOST_PIN_COUNTS - len(counts)) :], *counts))
    if max(in_room, anywhere) + 1 >= turn.config.pin_tries:
        person_name, card = person, badge
        text = Message("rooms.pin-guessing", person=person_name, card=card)
        turn.alarm(AlarmKind.GUESSING, text, door=attempt.door, person=person)


def _wrong(turn: PanelStep, person: str, badge: str) -> int:
    return next((count.wrong for count in turn.state.pins if (count.person, count.badge) == (person, badge)), 0)
