"""The columns of a log entry: event, verdict, subject, object.

Rules of this file: pure. Every field is optional, because entries of other versions and damaged ones are shown too.
Codes are shown in words (:mod:`agent.presentation.terms`); an unknown code is shown as it is.
"""

import json
from typing import Any

from agent.api.timestamps import local
from agent.language.catalogue import localized
from agent.presentation.terms import (
    ACTIONS,
    ENTRIES,
    FILED,
    HAPPENINGS,
    HR_EVENTS,
    HR_TROUBLES,
    OUTCOMES,
    OWN,
    VERDICTS,
    revocation_step,
    word,
)
from rules.text import NOTHING, Message, Sentence, Text, spaced
from rules.visible import visible
from tui.render.cells import Piece, Toned
from tui.render.operation import act_arguments, act_name, same

Entry = dict[str, Any]

OBSERVED = Message("tui.denied-observed")
_NO_ENTRY = Message("tui.entry-missing")


def parsed(line: str) -> Entry:
    """Return the entry of a record; an unreadable record becomes an entry that says so."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    return entry if isinstance(entry, dict) else {"kind": "damaged", "path": line}


def missing(seq: int) -> Entry:
    """Return the placeholder of a missing entry."""
    return {"seq": seq, "kind": "missing"}


def day_and_time(entry: Entry) -> str:
    """Return date and time in the time zone of this terminal."""
    try:
        return local(str(entry["time"]))
    except (KeyError, ValueError):
        return ""


def event_of(entry: Entry) -> Sentence:
    """Return the event in a word. In English an operation is called by its name, which is its command."""
    if act := entry.get("act"):
        return act_name(str(act))
    kind = str(entry.get("kind", ""))
    if kind == "read":
        return Text(visible(str(entry.get("what", kind))), localized(ENTRIES[kind], "zh"))
    if action := entry.get("action"):
        return word(ACTIONS, action)
    return word(HAPPENINGS, entry["what"]) if isinstance(entry.get("what"), str) else word(ENTRIES, kind)


def verdict(entry: Entry) -> Piece:
    """Return the verdict or the outcome."""
    match entry.get("verdict"):
        case "deny":
            return Toned(VERDICTS["deny"], "bad") if entry.get("enforced", True) else Toned(OBSERVED, "warning")
        case "allow":
            return VERDICTS["allow"]
    match entry.get("kind"):
        case "hr-event":
            folder = entry.get("folder", "")
            return Toned(word(FILED, folder), "dim" if folder == "accepted" else "warning")
        case "hr-channel":
            return Toned(word(HR_TROUBLES, entry.get("outcome", "")), "warning")
    outcome = entry.get("outcome") or entry.get("released") or ""
    text = word(OUTCOMES, outcome)
    if outcome == "missing":
        return Toned(text, "bad")
    return Toned(text, "warning" if outcome in ("refused", "forbidden", "not-completed", "failed") else "dim")


def subject_of(entry: Entry) -> Piece:
    """Return the persons who acted, else the uid; of an own attempt of the agent, its kind."""
    names = dict.fromkeys(str(entry[key]) for key in ("person", "login_person", "service") if entry.get(key))
    if entry.get("own"):
        own, as_whom = word(OWN, entry["own"]), " / ".join(names)
        return Message("common.as", name=own, kind=as_whom) if names else own
    if names:
        return " / ".join(names)
    actor = entry.get("actor")
    uid = entry.get("fsuid", actor.get("uid") if isinstance(actor, dict) else None)
    return "" if uid is None else Message("tui.uid-number", uid=uid)


def object_of(entry: Entry) -> Piece:
    """Return the object of the entry; of an entry that is no access, with its event."""
    if entry.get("kind") == "missing":
        return Toned(_NO_ENTRY, "bad")
    path = entry.get("path") or entry.get("area")
    if path and entry.get("kind", "access") in ("access", "damaged"):
        return str(path)
    event = event_of(entry)
    about = [sentence for sentence in act_arguments(entry) if sentence != NOTHING]
    about += [same(path)] if path else []
    about += [same(entry[name]) for name in ("door", "room", "case") if isinstance(entry.get(name), str)]
    about += [word(HR_EVENTS, entry["event"])] if entry.get("kind") == "hr-event" and entry.get("event") else []
    about += [revocation_step(entry)] if entry.get("kind") == "revocation" else []
    return spaced([event, *about])


def one_line(entry: Entry, language: str) -> str:
    """Return the entry as a line to paste: number, time, event, verdict, subject, rule, object, separated by tabs."""
    pieces = (
        entry.get("seq"),
        entry.get("time"),
        event_of(entry),
        verdict(entry),
        subject_of(entry),
        entry.get("rule"),
        object_of(entry),
    )
    return "\t".join(_plain(piece, language) for piece in pieces)


def _plain(piece: object, language: str) -> str:
    if isinstance(piece, Toned):
        piece = piece.text
    if isinstance(piece, Message | Text):
        return localized(piece, "zh" if language == "zh" else "en")
    return "-" if piece is None or piece == "" else str(piece)
