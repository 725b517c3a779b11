"""The receipt 撤权回执: what one revocation ended and when, as canonical JSON with a signature beside it.

Rules of this file:
- a receipt file has two lines: the JSON, and ``{"key": fingerprint, "signature": base64}``. What is signed is the first
  line without its newline, as it stands: ``head -n 1 FILE | head -c -1`` and any Ed25519 tool check it;
- canonical: keys sorted, no spaces, UTF-8 as it is, no floating point, every foreign string through ``visible``;
- a receipt is never changed and never written over: what comes later is another one that names the one before it;
- what is pending is not complete, whatever else was done; what cannot be seen is listed and never counted as done;
- what this host does not have and what is no part of such a revocation are two words, and neither of them is "done".

The format, for who writes a checker: docs/receipt.md.
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
from agent.offboard.proof import CANNOT_SEE
from agent.offboard.proof import STEP as PROOF
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.schema import NOT_PART, NOT_PRESENT
from agent.offboard.receipt.signing import Signer, key_path, synced
from agent.offboard.receipt.timeline import DoorMark, Marks, needed, rows, written
from agent.offboard.steps.step import StepState
from rules.text import Text
from rules.visible import visible

VERSION = 2
KIND = "shoumi-revocation-receipt"
SUFFIX = ".receipt"

PROOF_STEP = PROOF.id

NO_ENTRIES: Mapping[str, Any] = {"count": 0, "first": None, "last": None}
_shown = functools.lru_cache(16_384)(visible)  # thousands of attempts consist of a few words and the names of areas
_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FINISHED = frozenset(
    (StepState.DONE, StepState.CONFIRMED, StepState.CANNOT_SEE, NOT_PRESENT, NOT_PART)
)  # by name: a new state is open


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What came of one step; ``facts`` are JSON values."""

    id: str
    title: Text
    state: str
    detail: Text
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RevocationRecord:
    """Everything a receipt says about one revocation, except its number and its signature."""

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
        "approvers": [dict(one) for one in ending.approvers],
        "lost": [{"area": name} for name in ending.lost],
        "act": ending.act,
        "seq": ending.seq,
        "timeline": timeline,
        "doors": doors,
        "steps": [
            {
                "id": step.id,
                "title": step.title.to_json(),
                "state": NOT_PRESENT if step.state == StepState.SKIPPED else str(step.state),
                "detail": step.detail.to_json(),
                "facts": dict(step.facts) if step.id != PROOF_STEP else {},
            }
            for step in ending.steps
        ],
        "proof": proof,
        "own_entries": dict(ending.own_entries),
        "cannot_see": [text.to_json() for text in CANNOT_SEE],
        "key": key,
        "previous": previous,
    }
    body["open"] = open_items(body)
    body["complete"] = not body["open"]
    return canonical(body)


def open_items(body: Mapping[str, Any]) -> list[str]:
    """Return what is not over yet, as words: ``step:cron``, ``door:B2``, ``mark:denied``, ``proof``, ``late-read``."""
    at = {row["mark"]: row["at"] for row in body["timeline"]}  # all in one form: their order is that of the instants
    left = [f"step:{step['id']}" for step in body["steps"] if step["state"] not in _FINISHED]
    left += [f"door:{door['door']}" for door in body["doors"] if door["state"] != StepState.CONFIRMED]
    wanted = needed(body["cause"])
    left += [
        f"mark:{row['mark']}"
        for row in body["timeline"]
        if row["state"] == "unordered" or (row["mark"] in wanted and row["at"] is None)
    ]
    if not _proven(body["proof"]):
        left.append("proof")
    if at["last-read"] is not None and at["denied"] is not None and at["last-read"] > at["denied"]:
        left.append("late-read")
    return left


def _proven(proof: Mapping[str, Any] | None) -> bool:
    if proof is None:
        return False
    clean = [scan["complete"] and not scan["found"] and not scan["holding"] for scan in proof["scans"]]
    denied = [attempt["answer"] == "denied" for attempt in proof["attempts"]]
    tried = sum(attempt["what"] == "list" for attempt in proof["attempts"])
    wanted = proof["areas"] * 2 * len(proof["uids"])
    shown = not proof["unreached"] and not proof["untouched"]
    return len(clean) >= 2 and all(clean) and all(denied) and tried == wanted and shown


def canonical(value: object) -> bytes:
    """Return *value* as canonical JSON; see the rules of this file."""
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _plain(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():  # different programs write them differently
            return repr(value)
        case str():
            return _shown(value)
        case Mapping():
            return {_shown(str(key)): _plain(inner) for key, inner in value.items()}
        case Sequence():
            return [_plain(inner) for inner in value]
        case _:
            raise TypeError(f"no JSON value: {type(value).__name__}")


def signed(payload: bytes, signer: Signer) -> bytes:
    """Return the two lines of a receipt file."""
    signature = base64.b64encode(signer.sign(payload)).decode()
    return payload + b"\n" + canonical({"key": signer.fingerprint, "signature": signature}) + b"\n"


def receipts_folder(home: Path) -> Path:
    """Return where an agent keeps its receipts."""
    return home / "receipts"


def issue(home: Path, ending: RevocationRecord, now: datetime) -> Path:
    """Build, sign and keep the next receipt of a case; it is on the disk when this returns.

    Raises :class:`RefusedError`.

    When the last one says the same, that one is returned: a case that is tried again and again makes no pile of them.
    """
    if not _CASE.fullmatch(ending.case):
        raise RefusedError(
            Text(f"`{visible(ending.case)}` is no case number", f"`{visible(ending.case)}` 不是案件编号")
        )
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
            with contextlib.suppress(FileExistsError):  # another one was issued meanwhile: ours comes after it
                _keep(path, signed(payload, signer))
                return path
    except OSError as error:
        why = visible(error.strerror or "")
        raise RefusedError(
            Text(f"the receipt could not be kept: `{why}`", f"无法保存回执：`{why}`"),
            Text("nothing was undone; make room and ask again", "已执行的撤权不受影响；请腾出空间后重试"),
        ) from error


def kept(folder: Path, case: str | None = None) -> list[Path]:
    """Return the receipts in *folder*, of one case or of all, in the order they were issued per case."""
    return sorted(folder.glob(f"{case or '*'}.{'[0-9]' * 6}{SUFFIX}"))


def case_of(path: Path) -> str:
    """Return the name of the run whose receipt *path* is."""
    return path.name.removesuffix(SUFFIX).rpartition(".")[0]


def _news(payload: bytes) -> object:
    """Return what a receipt says apart from when it says it; what is none says nothing that could be the same."""
    try:
        body = json.loads(payload)
        proof = body["proof"] and {**body["proof"], "scans": [{**scan, "at": ""} for scan in body["proof"]["scans"]]}
    except (ValueError, TypeError, KeyError):
        return None
    return {**body, "issued": "", "previous": "", "proof": proof, "own_entries": {}}


def _keep(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{threading.get_native_id()}")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        path.hardlink_to(fresh)  # fails when it is there
    finally:
        fresh.unlink(missing_ok=True)
    synced(path.parent)
