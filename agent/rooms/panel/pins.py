"""Card and PIN: digits are gathered for a moment after the badge, and a duress PIN opens and tells the officers.

Rules of this file: digits live in memory only and end with the attempt. Wrong PINs are counted per person in a room,
not per reader, and per badge in all rooms of the site, so that nobody tries a found badge room by room; either count
locks, is forgotten with time and by the right PIN, and outlives a restart. Nothing at the door shows whether a PIN was
the duress one.
"""

from msgspec.structs import replace

from agent.doors.messages import KeyPress, Refuse, Signal
from agent.rooms.panel.effects import AlarmKind, RightPin
from agent.rooms.panel.state import MOST_PIN_COUNTS, AskedPin, PinCount
from agent.rooms.panel.step import PanelStep
from rules.text import Text
from rules.visible import visible

LONGEST_PIN = 12  # digits
NO_PIN = Text("no PIN", "未输密码")
_ASK = Text("PIN", "请输入密码")


def ask(turn: PanelStep, door: str, person: str, badge: str) -> None:
    """Ask for a PIN at *door*; whoever was asked there before is not any more."""
    until = turn.now + turn.config.pin_seconds
    others = tuple(one for one in turn.state.fleeting.asked if one.door != door)
    turn.set_fleeting(asked=(*others, AskedPin(door, person, badge, "", until)))
    turn.do(Signal(door, "in", "amber", "once", _ASK))


def drop(turn: PanelStep, door: str) -> None:
    """Ask nobody for a PIN at *door* any more."""
    turn.set_fleeting(asked=tuple(one for one in turn.state.fleeting.asked if one.door != door))


def pressed(turn: PanelStep, event: KeyPress) -> AskedPin | None:
    """Take the keys of one event; return the attempt when it is finished (``#``), with its digits."""
    asked = next((one for one in turn.state.fleeting.asked if one.door == event.door), None)
    if asked is None or event.side != "in":
        return None
    if not event.secure or event.stale or turn.back:
        drop(turn, event.door)
        turn.do(Refuse(event.door, "in", NO_PIN))
        return None
    for key in event.digits:
        if key == "#":
            drop(turn, event.door)
            return asked
        if key == "*":
            asked = replace(asked, digits="")
        elif key in "0123456789":
            asked = replace(asked, digits=(asked.digits + key)[: LONGEST_PIN + 1])  # one too many is wrong, not cut
    others = tuple(one for one in turn.state.fleeting.asked if one.door != event.door)
    turn.set_fleeting(asked=(*others, asked))
    return None


def right(turn: PanelStep, asked: AskedPin) -> bool:
    """Whether the PIN of a finished attempt is the person's; tells the officers of a duress PIN, and of guessing."""
    if locked(turn, asked.person, asked.badge):
        return False  # he was asked before, at another door
    answer = turn.desk.check_pin(asked.person, asked.digits) if len(asked.digits) <= LONGEST_PIN else "wrong"
    if answer in ("ok", "duress"):
        forget(turn, asked.person, asked.badge)
        if turn.desk.wrong_pins(asked.badge):
            turn.do(RightPin(asked.person, asked.badge))
        if answer == "duress":
            shown, where = visible(asked.person), visible(asked.door)
            text = Text(f"`{shown}` enters `{where}` under duress", f"`{shown}` 在 `{where}` 受胁迫进入")
            turn.alarm(AlarmKind.DURESS, text, door=asked.door, person=asked.person, silent=True)
        return True
    _count(turn, asked)
    return False


def locked(turn: PanelStep, person: str, badge: str) -> bool:
    """Whether too many wrong PINs in a row were entered for the person here, or with the badge anywhere."""
    most = max(_wrong(turn, person, ""), _wrong(turn, person, badge), turn.desk.wrong_pins(badge))
    return most >= turn.config.pin_tries


def forget(turn: PanelStep, person: str, badge: str) -> None:
    """Count anew for a person who entered the right PIN with *badge*; with another badge it may be somebody else."""
    kept = (one for one in turn.state.pins if one.person != person or one.badge not in ("", badge))
    turn.set(pins=tuple(kept))


def expire(turn: PanelStep) -> None:
    """Forget what has had its time."""
    longest = turn.now + turn.config.pin_lock_seconds  # nothing lasts longer, also after the clock went back
    kept = [replace(one, until=min(one.until, longest)) for one in turn.state.pins if turn.now < one.until]
    turn.set(pins=tuple(kept))
    for one in turn.state.fleeting.asked:
        if turn.now >= one.until:
            drop(turn, one.door)
            turn.do(Refuse(one.door, "in", NO_PIN))


def _count(turn: PanelStep, asked: AskedPin) -> None:
    person, badge = asked.person, asked.badge
    here, anywhere = _wrong(turn, person, ""), max(_wrong(turn, person, badge), turn.desk.wrong_pins(badge))
    forget(turn, person, badge)
    until = turn.now + turn.config.pin_lock_seconds
    counts = PinCount(person, here + 1, until), PinCount(person, anywhere + 1, until, badge)
    turn.set(pins=(*turn.state.pins[-(MOST_PIN_COUNTS - len(counts)) :], *counts))
    if max(here, anywhere) + 1 >= turn.config.pin_tries:
        shown, card = visible(person), visible(badge)
        text = Text(
            f"too many wrong PINs for `{shown}` with badge `{card}`", f"`{shown}` 的密码多次错误（卡 `{card}`）"
        )
        turn.alarm(AlarmKind.GUESSING, text, door=asked.door, person=person)


def _wrong(turn: PanelStep, person: str, badge: str) -> int:
    return next((one.wrong for one in turn.state.pins if (one.person, one.badge) == (person, badge)), 0)
