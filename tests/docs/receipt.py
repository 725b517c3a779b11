"""The table of a receipt's members in ``docs/receipt.md``, made from the shape that the checker insists on.

Rules of this file: pure. Each member has one sentence here; a member without one, or a sentence without a member, is an
error, so that the page cannot lag behind the format. The prose around the table is written by hand.
"""

from collections.abc import Iterator
from typing import Any

from agent.offboard.receipt.schema import AT, RECEIPT
from tests import ROOT
from tests.docs.markdown import filled, table

_WORDS = {"en": str, "zh": str}
MEANINGS = {
    "kind": "what this is",
    "version": "of the format",
    "issued": "when it was signed, by the agent's clock",
    "host": "name of the host",
    "person": "whose access ended: the id of the registry",
    "case": "the run: `C…` a departure or transfer, `H…` a hold, `G…` a grant that ended, `L…` a loss",
    "cause": "why",
    "reference": "number of the case in the personnel system; may be empty",
    "pack": "rule pack in force, with a part of its digest",
    "approvers": "who wanted it, in order",
    "approvers[].signed": "what the person stands for",
    "approvers[].signed.by": "who: an id of the registry, `uid:N`, or `hr`",
    "approvers[].signed.role": "as what",
    "approvers[].signed.title": "the title the pack gives that role",
    "approvers[].signed.at": "when it was signed",
    "approvers[].signed.clock": "by whose clock",
    "approvers[].signed.opinion": "the opinion on the form, or the reason of a hold or of the act; may be empty",
    "approvers[].signed.key": "name of the key of the approver's own signature",
    "approvers[].written": "who put it on record here",
    "approvers[].written.by": "who: an id of the registry, `uid:N`, or `hr` for the agent on the word of a notice",
    "approvers[].written.at": "when, by the agent's clock",
    "lost": "the areas it is about; empty: everything",
    "lost[].area": "name of the area",
    "act": "the act that took them (`grant.end`); may be empty",
    "seq": "number of the entry of that act",
    "timeline": "the six marks",
    "timeline[].mark": "which",
    "timeline[].at": "when",
    "timeline[].after_us": "microseconds after `received`",
    "timeline[].state": "`measured`, `none`, `pending` or `unordered`",
    "timeline[].clock": "by whose clock",
    "timeline[].source": "where it was taken",
    "timeline[].not_before": "lower bound",
    "timeline[].not_after": "upper bound",
    "timeline[].compared": "the other clock it was read off",
    "timeline[].seq": "number of the entry it was taken from",
    "doors": "doors and boards of doors that this revocation was about",
    "doors[].door": "name",
    "doors[].state": "`confirmed`: known to refuse",
    "doors[].at": "since when that is known",
    "doors[].after_us": "microseconds after `received`",
    "doors[].detail": "what it is known by, or what is missing",
    "steps": "every kind of access the program can end",
    "steps[].id": "word",
    "steps[].title": "what it ends",
    "steps[].state": "how far it is",
    "steps[].detail": "what came of it",
    "steps[].facts": "counts, pids and instants of it, by step",
    "proof": "that nothing is left; `null`: it has not been made",
    "proof.scans": "looks at all processes",
    "proof.scans[].at": "when",
    "proof.scans[].complete": "whether it saw everything",
    "proof.scans[].found": "processes of the person that are left",
    "proof.scans[].found[].pid": "process",
    "proof.scans[].found[].uid": "its user",
    "proof.scans[].found[].name": "its name",
    "proof.scans[].found[].state": "the letter of proc_pid_status(5): `D` ends when the kernel lets it",
    "proof.scans[].found[].reach": "by what it is theirs (`account`, `login`, …), or why it was left (`protected`, …)",
    "proof.scans[].found[].started_by": "what may start it again",
    "proof.scans[].found[].started_by.kind": "a system unit, a container, or a process",
    "proof.scans[].found[].started_by.name": "its name",
    "proof.scans[].found[].started_by.pid": "its process; 0 for a unit",
    "proof.scans[].holding": "those that hold something on a classified volume",
    "proof.scans[].left": "processes that were let be because they hold nothing",
    "proof.scans[].unseen": "what was not looked at: `process:PID`, `ring:PID`, `held`, `hidepid`, `pid-namespace`",
    "proof.attempts": "tries to get in as the person",
    "proof.attempts[].area": "where",
    "proof.attempts[].what": "list the directory, or open a file",
    "proof.attempts[].uid": "as which user",
    "proof.attempts[].login": "with which login uid",
    "proof.attempts[].answer": "`denied`, `let-in`, `absent`, `failed`, `untried`",
    "proof.attempts[].error": "name of the error number; may be empty",
    "proof.unreached": "areas that could not be looked through for a file to try",
    "proof.areas": "how many areas had to be tried",
    "proof.uids": "accounts it was tried under",
    "proof.untouched": "accounts for which nothing can be shown: root's, the system's",
    "own_entries": "what the attempts of the proof left in the log",
    "own_entries.count": "how many entries",
    "own_entries.first": "the lowest of their numbers",
    "own_entries.last": "the highest",
    "cannot_see": "what no look on this host reaches",
    "key": "FINGERPRINT",
    "previous": "SHA-256 of the receipt this one replaces",
    "open": "what is not over",
    "complete": "whether nothing is open",
}


def page() -> str:
    """Return the page as it is, with its table made anew. Raises ``ValueError`` for a member without a sentence."""
    found = dict(_members(RECEIPT, ""))
    if found.keys() != MEANINGS.keys():
        raise ValueError(f"members and sentences differ: {sorted(found.keys() ^ MEANINGS.keys())}")
    rows = [(f"`{name}`", found[name], meaning) for name, meaning in MEANINGS.items()]
    text = (ROOT / "docs" / "receipt.md").read_text(encoding="utf-8")
    return filled(text, {"members": table(("member", "type", "what it says"), rows)})


def _members(shape: Any, path: str) -> Iterator[tuple[str, str]]:
    for name, inner in shape.items():
        here = f"{path}.{name}" if path else name
        yield here, _type(inner)
        below, suffix = inner, ""
        while isinstance(below, tuple | list):
            suffix += "[]" if isinstance(below, list) else ""
            below = below[0]
        if isinstance(below, dict) and below != _WORDS:
            yield from _members(below, here + suffix)


def _type(shape: Any) -> str:
    if isinstance(shape, tuple):
        some = [_type(one) for one in shape if one is not None]
        return " or ".join(some) + ("?" if None in shape else "")
    if isinstance(shape, list):
        return f"list of {_type(shape[0])}"
    if isinstance(shape, dict):
        return "words" if shape == _WORDS else "members below"
    if shape is AT:
        return "instant"
    names = {str: "string", int: "integer", bool: "boolean", dict: "object"}
    return (
        names[shape] if isinstance(shape, type) else f"`{shape}`" if isinstance(shape, str) else f"the number {shape}"
    )
