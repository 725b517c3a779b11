"""A log entry in full: the reason of its verdict, every field, and its proof.

Rules of this file: pure. No field is left out: one that another version wrote is shown under its own name.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping

from agent.api.operations import TABLE
from agent.presentation import changes
from agent.presentation.terms import (
    ACTIONS,
    CAUSES,
    CHOICES,
    CLOCK_STEPS,
    DISKS,
    DOMAINS,
    DURABILITIES,
    ENTRIES,
    FILED,
    HANDS,
    HAPPENINGS,
    HELD,
    HOW,
    HR_EVENTS,
    HR_TROUBLES,
    LEVELS,
    MAILED,
    MODES,
    OUTCOMES,
    OWN,
    PROCESSES,
    RELEASES,
    ROLES,
    SIDES,
    TIERS,
    TOURS,
    VOLUME_STATES,
    VOLUMES,
    Words,
    revocation_step,
    word,
)
from rules.text import Message, Sentence, dotted, foreign, from_json, series, spaced
from tui.render.cells import GLYPHS, Piece, Tone, Toned, number
from tui.render.entry_columns import Entry, verdict
from tui.render.operation import act_title, argument, same
from tui.render.plan import STATES

_LABELS = {
    "host": Message("common.host"),
    "kind": Message("tui.kind"),
    "action": Message("tui.field-action"),
    "act": Message("common.act"),
    "what": Message("common.contents"),
    "person": Message("common.person"),
    "login_person": Message("tui.field-login-person"),
    "service": Message("common.service"),
    "path": Message("common.path"),
    "path_hex": Message("tui.field-path-hex"),
    "area": Message("common.area"),
    "level": Message("common.level"),
    "domain": Message("common.domain"),
    "exe": Message("tui.field-exe"),
    "comm": Message("tui.field-comm"),
    "client": Message("tui.field-client"),
    "mode": Message("common.mode"),
    "pack": Message("common.rule-pack"),
    "epoch": Message("tui.rights-epoch"),
    "outcome": Message("tui.field-outcome"),
    "fsuid": Message("tui.field-fsuid"),
    "loginuid": Message("tui.field-loginuid"),
    "ruid": Message("tui.field-ruid"),
    "uid": Message("tui.field-uid"),
    "gid": Message("tui.field-gid"),
    "pid": Message("tui.field-pid"),
    "tid": Message("tui.field-tid"),
    "dev": Message("tui.field-dev"),
    "ino": Message("tui.field-ino"),
    "errno": Message("tui.field-errno"),
    "actor": Message("tui.field-actor"),
    "hands": Message("tui.field-hands"),
    "proposal": Message("common.proposal"),
    "proposed_by": Message("tui.field-proposed-by"),
    "at": Message("common.at"),
    "changes": Message("tui.field-changes"),
    "lived": Message("tui.field-lived"),
    "deaths": Message("tui.field-deaths"),
    "changes_more": Message("tui.field-changes-more"),
    "free": Message("tui.field-free"),
    "whole": Message("tui.field-whole"),
    "hours": Message("tui.field-hours"),
    "role": Message("common.role"),
    "args": Message("tui.field-args"),
    "not_recorded": Message("tui.field-not-recorded"),
    "room": Message("common.room"),
    "door": Message("common.door"),
    "side": Message("tui.field-side"),
    "badge": Message("common.badge"),
    "how": Message("tui.field-how"),
    "secure": Message("tui.field-secure"),
    "together": Message("tui.field-together"),
    "purpose": Message("common.purpose"),
    "release": Message("tui.field-release"),
    "released": Message("tui.field-released"),
    "silent": Message("tui.field-silent"),
    "case": Message("common.case"),
    "cause": Message("common.cause"),
    "step": Message("common.step"),
    "state": Message("common.state"),
    "title": Message("common.step"),
    "detail": Message("common.outcome"),
    "facts": Message("tui.field-facts"),
    "tries": Message("tui.field-attempts"),
    "began_at": Message("tui.field-began-at"),
    "ended_at": Message("tui.field-ended-at"),
    "file": Message("common.file"),
    "folder": Message("tui.field-folder"),
    "event": Message("tui.field-event"),
    "reference": Message("common.number-personnel-system"),
    "jti": Message("tui.field-jti"),
    "late": Message("tui.column-late"),
    "alarm": Message("common.alarm"),
    "count": Message("tui.field-count"),
    "since": Message("common.since"),
    "bytes": Message("tui.field-bytes"),
    "start": Message("tui.field-start"),
    "denied_meanwhile": Message("tui.field-denied-meanwhile"),
    "mono": Message("tui.field-mono"),
    "boot": Message("tui.field-boot"),
    "boot_id": Message("tui.field-boot"),
    "judged": Message("tui.field-judged"),
    "kernel": Message("tui.field-kernel"),
    "version": Message("tui.field-version"),
    "durability": Message("tui.durability"),
    "from": Message("tui.field-clock-expected"),
    "to": Message("tui.field-clock-found"),
    "offset": Message("tui.field-offset"),
    "accepted": Message("tui.field-accepted"),
    "judged_from": Message("tui.field-judged-from"),
    "judged_to": Message("tui.field-judged-to"),
    "missing_from": Message("tui.field-missing-from"),
    "missing_to": Message("tui.field-missing-to"),
    "recorded": Message("tui.field-recorded"),
    "process": Message("tui.field-process"),
    "areas": Message("common.areas"),
    "tier": Message("tui.tier"),
    "labelled": Message("tui.field-labelled"),
    "why": Message("common.reason"),
    "frames": Message("tui.field-frames"),
    "own": Message("tui.field-own"),
    "former_key": Message("tui.field-former-key"),
    "signing_key": Message("tui.field-signing-key"),
    "volume": Message("tui.field-volume"),
    "tried": Message("tui.field-attempts"),
    "proven": Message("tui.field-proven"),
    "enforced": Message("tui.field-enforced"),
    "areas_tried": Message("tui.field-areas-tried"),
    "attempts": Message("tui.field-attempts"),
    "refused": Message("tui.field-refused"),
    "observed": Message("tui.field-observed"),
    "untold": Message("tui.field-untold"),
    "damaged": Message("tui.field-damaged"),
    "named": Message("tui.field-named"),
    "not_counted": Message("tui.field-not-counted"),
    "terminals": Message("tui.field-terminals"),
    "mail": Message("tui.field-mail"),
    "uids": Message("tui.field-uids"),
    "changed": Message("tui.field-changed"),
    "not_reached": Message("tui.field-not-reached"),
    "after_ms": Message("tui.field-after-ms"),
    "device": Message("common.device"),
    "ended": Message("tui.field-ended"),
    "holders": Message("tui.field-holders"),
    "files": Message("tui.field-files"),
    "may": Message("tui.field-may"),
    "processes": Message("tui.field-processes"),
    "request": Message("common.number-request"),
    "seen": Message("tui.field-seen"),
    "kept": Message("tui.field-kept"),
    "new": Message("tui.field-new"),
    "entered": Message("tui.field-entered"),
    "unlabelled": Message("tui.field-unlabelled"),
    "foreign": Message("tui.field-foreign"),
    "first": Message("tui.field-first"),
    "troubles": Message("tui.field-troubles"),
    "seconds": Message("tui.field-seconds"),
    "registry_epoch": Message("tui.field-registry-epoch"),
    "acts": Message("tui.field-acts"),
    "change": Message("tui.field-change"),
    "after": Message("tui.field-after"),
    "known": Message("tui.field-known"),
    "faults": Message("tui.field-faults"),
    "refused_connections": Message("tui.field-refused-connections"),
    "refused_requests": Message("tui.field-refused-requests"),
}
_VALUES: dict[str, Words] = {
    "kind": ENTRIES, "action": ACTIONS, "level": LEVELS, "domain": DOMAINS, "mode": MODES,
    "outcome": {**HR_TROUBLES, **OUTCOMES},
    "side": SIDES, "how": {**HELD, **HOW}, "released": RELEASES, "what": HAPPENINGS, "role": ROLES, "cause": CAUSES,
    "process": PROCESSES, "tier": TIERS, "own": OWN, "accepted": CLOCK_STEPS, "durability": DURABILITIES,
    "folder": FILED, "event": HR_EVENTS, "mail": MAILED,
    "state": {**TOURS, **{code: text for code, (text, _, _) in STATES.items()}, **VOLUME_STATES, **VOLUMES, **DISKS},
    "why": VOLUMES, "hands": HANDS,
}  # fmt: skip
_SENTENCED = {
    "hr-event": ("outcome",),
    "canary": ("why",),
    "process-died": ("how",),
}  # codes that stand beside their sentence, by kind of entry
_EXPLAINED = {"seq", "time", "verdict", "enforced", "rule", "clauses", "reason", "error"}


def explained(entry: Entry, rules: Mapping[str, Sentence]) -> list[Piece]:
    """Return the verdict and its reason. ``rules``: titles of the rules of the pack in force."""
    pieces: list[Piece] = []
    if "verdict" in entry:
        denied = entry["verdict"] == "deny"
        pieces += [Toned(f"{GLYPHS['bad']} ", "bad") if denied else Toned(f"{GLYPHS['good']} ", "good"), verdict(entry)]
        rule = str(entry.get("rule", ""))
        named = (
            Message("tui.by-rule-requiring", rule=rule, title=rules[rule])
            if rule in rules
            else Message("tui.by-rule", rule=rule)
        )
        pieces += ["  ", named, "\n"]
        if not entry.get("enforced", True):
            observed = Message("tui.observed-not-blocked")
            pieces += [Toned(observed, "warning"), "\n"]
        if entry.get("reason"):
            pieces += [from_json(entry["reason"]), "\n"]
        return pieces
    if entry.get("error"):
        pieces += [Toned(f"{GLYPHS['bad']} ", "bad"), from_json(entry["error"]), "\n"]
    if entry.get("reason"):
        tone: Tone = "warning" if entry.get("alarm") else "plain"
        pieces += [Toned(f"{GLYPHS[tone]} ", tone), from_json(entry["reason"]), "\n"]
    return pieces


def fields(entry: Entry) -> list[Piece]:
    """Return every field of *entry* that :func:`explained` does not show, a line each, nested ones flattened."""
    pieces: list[Piece] = []
    for name, raw in entry.items():
        if name not in _EXPLAINED and raw is not None and raw not in ("", [], {}):
            for label, piece in _field(entry, name, raw):
                pieces += [Toned(label, "dim"), "  ", piece, "\n"]
    return pieces


def _field(entry: Entry, name: str, raw: object) -> Iterator[tuple[Sentence, Piece]]:
    label = _LABELS.get(name, same(name))
    if name == "args" and isinstance(raw, dict):
        yield from _act_arguments(str(entry.get("act") or entry.get("what")), raw)
    elif name == "act" or (name == "what" and isinstance(raw, str) and raw in TABLE):
        act = str(raw)
        yield (
            label,
            Message("tui.act-with-command", command=act, title=act_title(act)) if act in TABLE else foreign(act),
        )
    elif name == "changes" and isinstance(raw, list):
        yield from ((label, line) for line in changes.sentences(raw))
    elif name == "step":
        yield label, revocation_step(entry)
    elif name in _SENTENCED.get(str(entry.get("kind")), ()):
        yield label, same(f"`{raw}`")
    elif name == "facts":  # of a step, for its receipt; the detail has their sentence
        yield label, json.dumps(raw, ensure_ascii=False)
    else:
        yield label, _field_text(name, raw)


def _field_text(name: str, raw: object) -> Sentence:
    """Return a value of any shape in words, nested values in a row."""
    if isinstance(raw, bool):
        return word(CHOICES, "yes" if raw else "no")
    if isinstance(raw, dict):
        if {"code", "parameters"} <= raw.keys() or {"en", "zh"} <= raw.keys():
            return from_json(raw)
        inner = [(_LABELS.get(key, same(key)), _field_text(key, deep)) for key, deep in raw.items() if deep is not None]
        return dotted(spaced(pair) for pair in inner)
    if isinstance(raw, list):
        return series(_field_text(name, part) for part in raw)
    return word(_VALUES.get(name, {}), raw)


def _act_arguments(act: str, args: Mapping[str, object]) -> Iterator[tuple[Sentence, Piece]]:
    """Yield the arguments of an act, each with the help of its parameter as the label."""
    titles = {param.name: param.help for param in TABLE[act].params} if act in TABLE else {}
    for name, raw in args.items():
        piece = json.dumps(raw, ensure_ascii=False) if isinstance(raw, dict) else argument(act, name, raw)
        yield titles.get(name, _LABELS.get(name, same(name))), piece


def proof(seq: int, line: str, verified: int) -> list[Piece]:
    """Return the proof of the entry within the log: its number, its size, its leaf hash (RFC 6962, 2.1).

    ``verified``: the number up to which this terminal had the log verified; 0 when it did not.
    """
    record = line.encode("utf-8", "surrogateescape")
    leaf = hashlib.sha256(b"\x00" + record).hexdigest()
    if verified >= seq:
        state: Piece = Toned(Message("tui.verified-to", verified=number(verified)), "good")
    else:
        state = Toned(Message("tui.not-verified-here"), "warning")
    return [
        Toned(Message("tui.heading-proof"), "strong"), "\n",
        Toned(Message("tui.column-number"), "dim"), " ", f"#{number(seq)}", "  ", state, "\n",
        Toned(Message("tui.field-bytes"), "dim"), " ", str(len(record)), "\n",
        Toned(Message("tui.proof-leaf-hash"), "dim"), "\n", leaf, "\n",
    ]  # fmt: skip
