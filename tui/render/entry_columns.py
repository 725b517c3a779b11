"""What an entry of the log says, in columns.

Rules of this file: pure. Every field is optional, because entries of other versions and damaged ones are shown too. A
code is said in a word (:mod:`agent.presentation.terms`); one nobody knows is shown as it is.
"""

import json
from typing import Any

from agent.api.timestamps import local
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
from rules.text import Text
from rules.visible import visible
from tui.render.cells import Piece, Toned
from tui.render.operation import act_name, asked, same

Entry = dict[str, Any]

OBSERVED = Text("DENY (obs)", "拒绝·观察")
_NO_ENTRY = Text("NO SUCH ENTRY: verify (v)", "没有此条目：请校验（v）")


def parsed(line: str) -> Entry:
    """Return the entry of a record; one that cannot be read is an entry that says so."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    return entry if isinstance(entry, dict) else {"kind": "damaged", "path": line}


def missing(seq: int) -> Entry:
    """Return what stands for an entry that is not there."""
    return {"seq": seq, "kind": "missing"}


def day_and_time(entry: Entry) -> str:
    """Return date and time in the zone of this terminal."""
    try:
        return local(str(entry["time"]))
    except (KeyError, ValueError):
        return ""


def what(entry: Entry) -> Text:
    """Return what happened, in a word. An act is called by its name in English: that is its command."""
    if act := entry.get("act"):
        return act_name(str(act))
    kind = str(entry.get("kind", ""))
    if kind == "read":
        return Text(visible(str(entry.get("what", kind))), ENTRIES[kind].zh)
    if action := entry.get("action"):
        return word(ACTIONS, action)
    return word(HAPPENINGS, entry["what"]) if isinstance(entry.get("what"), str) else word(ENTRIES, kind)


def verdict(entry: Entry) -> Piece:
    """Return how it went."""
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


def who(entry: Entry) -> Piece:
    """Return the persons behind it, else the uid; of an attempt the agent made itself, that it was that."""
    names = dict.fromkeys(str(entry[key]) for key in ("person", "login_person", "service") if entry.get(key))
    if entry.get("own"):
        said, as_whom = word(OWN, entry["own"]), " / ".join(names)
        return Text(f"{said.en} as {as_whom}", f"{said.zh}（{as_whom}）") if names else said
    if names:
        return " / ".join(names)
    actor = entry.get("actor")
    uid = entry.get("fsuid", actor.get("uid") if isinstance(actor, dict) else None)
    return "" if uid is None else f"uid:{uid}"


def thing(entry: Entry) -> Piece:
    """Return what it was about; of what is no access, also what it was."""
    if entry.get("kind") == "missing":
        return Toned(_NO_ENTRY, "bad")
    found = entry.get("path") or entry.get("area")
    if found and entry.get("kind", "access") in ("access", "damaged"):
        return str(found)
    said = what(entry)
    about = [one for one in asked(entry) if one.en]
    about += [same(found)] if found else []
    about += [same(entry[name]) for name in ("door", "room", "case") if isinstance(entry.get(name), str)]
    about += [word(HR_EVENTS, entry["event"])] if entry.get("kind") == "hr-event" and entry.get("event") else []
    about += [revocation_step(entry)] if entry.get("kind") == "revocation" else []
    return Text(" ".join([said.en, *(one.en for one in about)]), " ".join([said.zh, *(one.zh for one in about)]))


def one_line(entry: Entry, language: str) -> str:
    """Return the entry as a line to paste: number, time, what, verdict, who, rule, object, with tabs between."""
    pieces = (
        entry.get("seq"),
        entry.get("time"),
        what(entry),
        verdict(entry),
        who(entry),
        entry.get("rule"),
        thing(entry),
    )
    return "\t".join(_plain(piece, language) for piece in pieces)


def _plain(piece: object, language: str) -> str:
    if isinstance(piece, Toned):
        piece = piece.words
    if isinstance(piece, Text):
        return piece.zh if language == "zh" else piece.en
    return "-" if piece is None or piece == "" else str(piece)
