"""Log entries of doors: one for every decision before it is carried out, and one for its outcome.

    door            a request to enter or exit: person, badge, the verdict and its rule; ``release`` names the strike
                    command it allows, and ``"released": "?"`` means that its outcome is unknown yet
    door-released   the outcome: ``used``, ``unused``, ``failed``, or ``unknown`` when the agent ended in between or the
                    lock was reported as opened without confirmation
    door-alarm      an alarm
    door-event      an event without a decision: a door opens, a reader goes offline, reads are dropped in a flood

Rules of this file: pure. Badges, names and texts are foreign and go through ``visible``. No entry holds a PIN or a raw
card.
"""

from typing import Any

from agent.language.catalogue import spoken
from agent.rooms.panel.effects import Cleared, Raise, RecordEntry, RecordNote, Settled
from rules.model import Resource
from rules.text import Sentence
from rules.visible import visible

Fields = dict[str, Any]


def decision(room: str, place: Resource | None, record: RecordEntry, epoch: int, pack: str) -> Fields:
    """Return the entry of one decision."""
    verdict = record.verdict
    fields: Fields = {
        "kind": "door",
        "action": record.action.value,
        "verdict": "allow" if verdict.allow else "deny",
        "rule": verdict.rule,
        "clauses": list(verdict.clauses),
        "person": record.person or None,
        "room": room,
        "door": record.door,
        "side": record.side,
        "badge": visible(record.badge) or None,
        "how": record.how,
        "secure": record.secure,
        "level": place.level.word if place else None,
        "domain": place.domain if place else None,
        "pack": pack,
        "epoch": epoch,
    }
    if record.together:
        fields["together"] = list(record.together)
    if record.purpose:
        fields["purpose"] = visible(record.purpose)
    if not verdict.allow:
        fields["reason"] = spoken(verdict.because)
    if record.release:
        fields |= {"release": record.release, "released": "?"}
    return fields


def settled(room: str, effect: Settled) -> Fields:
    """Return the entry of the outcome of a release."""
    fields: Fields = {
        "kind": "door-released",
        "room": room,
        "door": effect.door,
        "release": effect.id,
        "released": effect.outcome,
    }
    return fields | ({"why": spoken(effect.reason)} if effect.reason else {})


def alarm(room: str, effect: Raise) -> Fields:
    """Return the entry of an alarm."""
    return {
        "kind": "door-alarm",
        "what": effect.kind.value,
        "room": room,
        "door": effect.door or None,
        "person": effect.person or None,
        "silent": effect.silent,
        "reason": spoken(effect.text),
    }


def cleared(room: str, effect: Cleared) -> Fields:
    """Return the entry of the end of an alarm's condition."""
    return event(room, effect.door, f"{effect.kind.value}-over")


def note(room: str, effect: RecordNote) -> Fields:
    """Return the entry of an event without a decision."""
    return event(room, effect.door, effect.event_kind, effect.text, person=effect.person)


def event(room: str, door: str, event_kind: str, text: Sentence | None = None, **more: object) -> Fields:
    """Return an entry of the kind ``door-event``; empty values are left out."""
    fields: Fields = {"kind": "door-event", "what": event_kind, "room": room or None, "door": door or None}
    if text:
        fields["reason"] = spoken(text)
    return fields | {name: member for name, member in more.items() if member not in ("", None)}


def gap(count: int, since: str) -> Fields:
    """Return the entry that admits *count* missing entries of doors: exits and events."""
    return {"kind": "gap", "what": "doors", "count": count, "since": since}
