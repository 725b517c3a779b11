"""What the log holds of doors: one entry for every decision before it is carried out, and what came of it.

    door            somebody asked to go in or out: who, which badge, the verdict and its rule; ``release`` names the
                    strike command it allows, and ``"released": "?"`` says that nobody knows yet what became of that
    door-released   what became of it: ``used``, ``unused``, ``failed``, or ``unknown`` when the agent ended in between
                    or the lock was said to open and not seen to
    door-alarm      an alarm
    door-event      what decides nothing: a door opens, a reader goes offline, reads dropped in a flood

Rules of this file: pure. Badges, names and texts were written by strangers and go through ``visible``. A PIN is in no
entry, and neither is a raw card.
"""

from collections.abc import Mapping
from typing import Any

from agent.rooms.panel.effects import Cleared, Raise, RecordEntry, RecordNote, Settled
from rules.model import Resource
from rules.text import Text
from rules.visible import visible

Fields = dict[str, Any]


def asked(room: str, place: Resource | None, record: RecordEntry, epoch: int, pack: str) -> Fields:
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
        fields["reason"] = _seen(verdict.because)
    if record.release:
        fields |= {"release": record.release, "released": "?"}
    return fields


def settled(room: str, effect: Settled) -> Fields:
    """Return the entry that says what became of a release."""
    fields: Fields = {
        "kind": "door-released",
        "room": room,
        "door": effect.door,
        "release": effect.id,
        "released": effect.outcome,
    }
    return fields | ({"why": _seen(effect.why)} if effect.why else {})


def alarm(room: str, effect: Raise) -> Fields:
    """Return the entry of an alarm."""
    return {
        "kind": "door-alarm",
        "what": effect.kind.value,
        "room": room,
        "door": effect.door or None,
        "person": effect.person or None,
        "silent": effect.silent,
        "reason": _seen(effect.text),
    }


def cleared(room: str, effect: Cleared) -> Fields:
    """Return the entry that says what an alarm was about is over."""
    return event(room, effect.door, f"{effect.kind.value}-over")


def note(room: str, effect: RecordNote) -> Fields:
    """Return the entry of something that decides nothing."""
    return event(room, effect.door, effect.what, effect.text, person=effect.person)


def event(room: str, door: str, what: str, text: Text | None = None, **more: object) -> Fields:
    """Return an entry of the kind ``door-event``; empty values are left out."""
    fields: Fields = {"kind": "door-event", "what": what, "room": room or None, "door": door or None}
    if text:
        fields["reason"] = _seen(text)
    return fields | {name: value for name, value in more.items() if value not in ("", None)}


def gap(count: int, since: str) -> Fields:
    """Return the entry that owns up to *count* entries of doors, ways out and what they report, that are not there."""
    return {"kind": "gap", "what": "doors", "count": count, "since": since}


def _seen(text: Text) -> Mapping[str, str]:
    return {"en": visible(text.en), "zh": visible(text.zh)}
