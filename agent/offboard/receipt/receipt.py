"""The receipt 权限收回回执: what one revocation ended and when, as canonical JSON with a signature beside it.

Rules of this file:
- a receipt file has two lines: the JSON, and ``{"key": fingerprint, "signature": base64}``. What is signed is the first
  line without its newline, as it stands: ``head -n 1 FILE | head -c -1`` and any Ed25519 tool check it;
- canonical: keys sorted, no spaces, UTF-8 as it is, no floating point, every foreign string through ``visible``;
- a receipt is never changed and never overwritten: a later one is another receipt that names the one before it;
- a pending item is not complete, whatever else was done; what cannot be seen is listed and never counted as done;
- "not present on this host" and "not part of such a revocation" are two states, and neither of them is "done".

The format, for authors of a checker: docs/receipt.md.
"""

import base64
import contextlib
import functools
import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.errors import RefusedError
from agent.language.catalogue import both
from agent.offboard.proof import CANNOT_SEE
from agent.offboard.proof import STEP as PROOF
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.schema import NOT_PART, NOT_PRESENT
from agent.offboard.receipt.signing import Signer, key_path, synced
from agent.offboard.receipt.timeline import DoorMark, Marks, needed, rows, written
from agent.offboard.steps.step import StepState
from rules.text import Message, Sentence
from rules.visible import visible

VERSION = 2
KIND = "shoumi-revocation-receipt"
SUFFIX = ".receipt"

PROOF_STEP = PROOF.id

NO_ENTRIES: Mapping[str, Any] = {"count": 0, "first": None, "last": None}
_cached_visible = functools.lru_cache(16_384)(visible)  # thousands of attempts share a few words and names of areas
_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FINISHED = frozenset(
    (StepState.DONE, StepState.CONFIRMED, StepState.CANNOT_SEE, NOT_PRESENT, NOT_PART)
)  # by name: a new state is open


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The result of one step; ``facts`` are JSON values."""

    id: str
    title: Sentence
    state: str
    detail: Sentence
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RevocationRecord:
    """The content of a receipt about one revocation, except its number and its signature."""

    host: str
    person: str
    case: str
    cause: str
    """A word: ``departure``, ``hold``, ``expiry``, ``transfer``, ``loss``."""
    reference: str
    """The case number of the personnel system; may be empty."""
    pack: str
    approvers: tuple[Mapping[str, Any], ...]
    """``{"signed", "written"}`` in the order of approval; see :mod:`agent.control.offboarding.signatories`."""
    marks: Marks
    steps: tuple[StepRecord, ...]
    proof: Mapping[str, Any] | None
    """:meth:`agent.offboard.proof.AccessProof.to_json`; those of a step ``proof`` win. ``None``: not made yet."""
    doors: tuple[DoorMark, ...] = ()
    lost: tuple[str, ...] = ()
    """The areas it is about, where it is not about everything."""
    act: str = ""
    """The act that took them (``grant.end``), where one did."""
    seq: int | None = None
    """The number of the entry of that act."""
    own_entries: Mapping[str, Any] = field(default_factory=lambda: dict(NO_ENTRIES))
    """``{"count", "first", "last"}``: the entries of the attempts that the agent made itself for the proof."""


def build(ending: RevocationRecord, key: str, now: datetime, previous: str | None = None) -> bytes:
    """Return the canonical bytes of a receipt. *key*: fingerprint; *previous*: SHA-256 of the receipt this replaces."""
    proof = ending.proof
    for step in ending.steps:
        if step.id == PROOF_STEP:
            proof = step.facts or proof
    timeline, doors = rows(ending.marks, ending.doors, cause=ending.cause, now=now)
    body: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "issued": written(now),
        "host": ending.host,
        "person": ending.person,
        "case": ending.case,
        "cause": ending.cause,
        "reference": ending.reference,
        "pack": ending.pack,
        "approvers": [dict(approver) for approver in ending.approvers],
        "lost": [{"area": name} for name in ending.lost],
        "act": ending.act,
        "seq": ending.seq,
        "timeline": timeline,
        "doors": doors,
        "steps": [
            {
                "id": step.id,
                "title": both(step.title).to_json(),
                "state": NOT_PRESENT if step.state == StepState.SKIPPED else str(step.state),
                "detail": both(step.detail).to_json(),
                "facts": dict(step.facts) if step.id != PROOF_STEP else {},
            }
            for step in ending.steps
        ],
        "proof": proof,
        "own_entries": dict(ending.own_entries),
        "cannot_see": [both(text).to_json() for text in CANNOT_SEE],
        "key": key,
        "previous": previous,
    }
    body["open"] = open_items(body)
    body["complete"] = not body["open"]
    return canonical(body)


def open_items(body: Mapping[str, Any]) -> list[str]:
    """Return the open items as words: ``step:cron``, ``door:B2``, ``mark:denied``, ``proof``, ``late-read``."""
    at = {row["mark"]: row["at"] for row in body["timeline"]}  # all in one form: their order is that of the instants
    items = [f"step:{step['id']}" for step in body["steps"] if step["state"] not in _FINISHED]
    items += [f"door:{door['door']}" for door in body["doors"] if door["state"] != StepState.CONFIRMED]
    wanted = needed(body["cause"])
    items += [
        f"mark:{row['mark']}"
        for row in body["timeline"]
        if row["state"] == "unordered" or (row["mark"] in wanted and row["at"] is None)
    ]
    if not _proven(body["proof"]):
        items.append("proof")
    if at["last-read"] is not None and at["denied"] is not None and at["last-read"] > at["denied"]:
        items.append("late-read")
    return items


def _proven(proof: Mapping[str, Any] | None) -> bool:
    if proof is None:
        return False
    clean = [scan["complete"] and not scan["found"] and not scan["holding"] for scan in proof["scans"]]
    denied = [attempt["answer"] == "denied" for attempt in proof["attempts"]]
    tried = sum(attempt["what"] == "list" for attempt in proof["attempts"])
    wanted = proof["areas"] * 2 * len(proof["uids"])
    reached = not proof["unreached"] and not proof["untouched"]
    return len(clean) >= 2 and all(clean) and all(denied) and tried == wanted and reached


def canonical(body: object) -> bytes:
    """Return *body* as canonical JSON; see the rules of this file."""
    return json.dumps(_plain(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _plain(node: object) -> object:
    match node:
        case None | bool() | int():
            return node
        case float():  # different programs write them differently
            return repr(node)
        case str():
            return _cached_visible(node)
        case Mapping():
            return {_cached_visible(str(key)): _plain(inner) for key, inner in node.items()}
        case Sequence():
            return [_plain(inner) for inner in node]
        case _:
            raise TypeError(f"no JSON value: {type(node).__name__}")


def signed(payload: bytes, signer: Signer) -> bytes:
    """Return the two lines of a receipt file."""
    signature = base64.b64encode(signer.sign(payload)).decode()
    return payload + b"\n" + canonical({"key": signer.fingerprint, "signature": signature}) + b"\n"


def receipts_folder(home: Path) -> Path:
    """Return where an agent keeps its receipts."""
    return home / "receipts"


def issue(home: Path, ending: RevocationRecord, now: datetime) -> Path:
    """Build, sign and keep the next receipt of a case; it is on the disk when this returns.

    Raises :class:`RefusedError`. If the last receipt has the same content, that one is returned: a case that is tried
    again and again does not accumulate receipts.
    """
    if not _CASE.fullmatch(ending.case):
        raise RefusedError(Message("offboard.invalid-case-number", case=ending.case))
    signer = Signer.at(key_path(home))
    folder = receipts_folder(home)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        KeyRing(home).keep(signer)  # before anything needs it
        while True:
            earlier = kept(folder, ending.case)
            last = earlier[-1].read_bytes() if earlier else b""
            previous = hashlib.sha256(last).hexdigest() if earlier else None
            payload = build(ending, signer.fingerprint, now, previous)
            if earlier and _news(last.split(b"\n")[0]) == _news(payload):
                return earlier[-1]
            number = int(earlier[-1].stem.rpartition(".")[2]) + 1 if earlier else 1
            path = folder / f"{ending.case}.{number:06d}{SUFFIX}"
            with contextlib.suppress(FileExistsError):  # another receipt was issued meanwhile: ours follows it
                _keep(path, signed(payload, signer))
                return path
    except OSError as error:
        reason = visible(error.strerror or "")
        raise RefusedError(
            Message("receipt.not-saved", reason=reason),
            Message("receipt.free-space-and-retry"),
        ) from error


def kept(folder: Path, case: str | None = None) -> list[Path]:
    """Return the receipts in *folder*, of one case or of all, in the order they were issued per case."""
    return sorted(folder.glob(f"{case or '*'}.{'[0-9]' * 6}{SUFFIX}"))


def case_of(path: Path) -> str:
    """Return the name of the run whose receipt *path* is."""
    return path.name.removesuffix(SUFFIX).rpartition(".")[0]


def _news(payload: bytes) -> object:
    """Return the content of a receipt apart from its time; ``None`` for anything that is not a receipt."""
    try:
        body = json.loads(payload)
        proof = body["proof"] and {**body["proof"], "scans": [{**scan, "at": ""} for scan in body["proof"]["scans"]]}
    except (ValueError, TypeError, KeyError):
        return None
    return {**body, "issued": "", "previous": "", "proof": proof, "own_entries": {}}


def _keep(path: Path, contents: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{threading.get_native_id()}")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(fd)
        path.hardlink_to(fresh)  # fails when it exists
    finally:
        fresh.unlink(missing_ok=True)
    synced(path.parent)
