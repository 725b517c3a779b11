"""Verification of a receipt anywhere, with nothing but its bytes and a public key.

Rules of this file: it shares no code with the issuer of the receipt, opens no file and makes no request. Every byte
counts: a receipt with the same content in other bytes is not that receipt. Whether a revocation is complete is
calculated again from the measurements; the claim of the receipt is only compared.
"""

import base64
import binascii
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from agent.errors import UsageError
from agent.offboard.receipt.schema import RECEIPT, SHAPES, fits
from rules.text import Message, Sentence
from rules.visible import visible

_LARGEST = 8 << 20  # bytes
_MARKS = ("approved", "received", "durable", "denied", "last-read", "last-gone")
_MARK_STATES = ("measured", "none", "pending", "unordered")
_MISSHAPEN = Message("receipt.content-invalid")


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """The result of a check. ``payload`` is set only when the signature is right."""

    problems: tuple[Sentence, ...]
    left: tuple[str, ...] = ()
    payload: dict[str, Any] | None = None

    @property
    def genuine(self) -> bool:
        """Whether the agent with that key wrote it and not a byte was changed since."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether it is genuine and states that nothing is open."""
        return self.genuine and not self.left


def verify(receipt: bytes, public_key: bytes) -> ReceiptReport:
    """Check a receipt against the public key of the agent: PEM, or the 32 bytes themselves.

    Raises :class:`UsageError` for an invalid key; nothing else, whatever the receipt is.
    """
    key = _public(public_key)
    if len(receipt) > _LARGEST:
        return _wrong(Message("receipt.too-large"))
    lines = receipt.split(b"\n")
    if len(lines) != 3 or lines[2]:
        return _wrong(Message("receipt.not-two-lines"))
    payload, seal = lines[0], lines[1]
    print_of_key = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    try:
        claimed = json.loads(seal)
        named, signature = claimed["key"], base64.b64decode(claimed["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return _wrong(Message("receipt.signature-line-unreadable"))
    if named != print_of_key:
        return _wrong(Message("receipt.signed-with-other-key"))
    if seal != b'{"key":"%b","signature":"%b"}' % (print_of_key.encode(), base64.b64encode(signature)):
        return _wrong(Message("receipt.signature-line-altered"))
    try:
        key.verify(signature, payload)
    except InvalidSignature:
        return _wrong(Message("receipt.signature-invalid"))
    return _read(payload, print_of_key)


def _read(payload: bytes, key: str) -> ReceiptReport:
    """Judge bytes that are known to be the agent's."""
    try:
        body = json.loads(payload, object_pairs_hook=_once)
        version = body.get("version") if isinstance(body, dict) else None
        shape = SHAPES.get(version) if type(version) is int else None
        if shape is None or body.get("kind") != RECEIPT["kind"]:
            return _wrong(Message("receipt.version-unknown"))
        if not fits(body, shape):
            return _wrong(_MISSHAPEN)
        open_items = tuple(_open_items(body))
        problems = tuple(_disagreements(body, open_items, key))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _wrong(_MISSHAPEN)
    return ReceiptReport(problems, open_items, body)


def _open_items(body: dict[str, Any]) -> Iterator[str]:
    """Yield the open items, from the measurements alone, in the words of the receipt."""
    first = body["version"] == 1
    over = ("skipped",) if first else ("not-present", "not-part")
    for step in body["steps"]:
        if step["state"] not in ("done", "confirmed", "cannot-see", *over):
            yield f"step:{step['id']}"
    for door in body["doors"]:
        if door["state"] != "confirmed":
            yield f"door:{door['door']}"
    at = {row["mark"]: row["at"] and datetime.fromisoformat(row["at"]) for row in body["timeline"]}
    wanted = ["received", "denied"] if not first and body["cause"] == "expiry" else ["received", "durable", "denied"]
    for row in body["timeline"]:
        if row["state"] == "unordered" or (row["mark"] in wanted and not row["at"]):
            yield f"mark:{row['mark']}"
    if not _absent(body["proof"]):
        yield "proof"
    if at["last-read"] and at["denied"] and at["last-read"] > at["denied"]:
        yield "late-read"


def _absent(proof: dict[str, Any] | None) -> bool:
    """Whether two scans found nothing and every account and root was denied at every area."""
    if not proof or proof["unreached"] or proof["untouched"] or len(proof["scans"]) < 2:
        return False
    for scan in proof["scans"]:
        if scan["complete"] is not True or scan["found"] != [] or scan["holding"] != []:
            return False
    denials: dict[tuple[int, int], int] = {(uid, uid): 0 for uid in proof["uids"]}
    denials |= {(0, uid): 0 for uid in proof["uids"]}
    for attempt in proof["attempts"]:
        if attempt["answer"] != "denied" or attempt["error"] not in ("EPERM", "EACCES"):
            return False
        identity = attempt["uid"], attempt["login"]
        if identity not in denials:
            return False
        denials[identity] += attempt["what"] == "list"
    return all(count == proof["areas"] for count in denials.values())


def _disagreements(body: dict[str, Any], open_items: tuple[str, ...], key: str) -> Iterator[Sentence]:
    """Yield where the receipt contradicts itself."""
    if body["key"] != key:
        yield Message("receipt.key-mismatch")
    if body["complete"] is not (not open_items) or sorted(body["open"]) != sorted(open_items):
        yield Message("receipt.state-contradicts-measurements")
    rows = {row["mark"]: row for row in body["timeline"]}
    start = _instant(rows["received"]["at"])
    for row in [*body["timeline"], *body["doors"]]:
        at, personnel = _instant(row["at"]), row.get("clock") == "personnel"
        expected = None if personnel or at is None or start is None else _microseconds(at, start)
        if row["after_us"] != expected and (expected is not None or body["version"] != 1):
            name = visible(str(row.get("mark", row.get("door"))))
            yield Message("receipt.span-mismatch", mark=name)
    if body["version"] != 1:
        if [row["mark"] for row in body["timeline"]] != list(_MARKS):
            yield Message("receipt.timeline-marks-invalid")
            return
        yield from _disorder(rows, _instant(body["issued"]))
        for row in body["timeline"]:
            yield from _inconsistent(row)
        yield from _miscounted(body["own_entries"])
        if body["doors"] and any(
            step["id"] == "doors" and step["state"] in ("not-present", "not-part") for step in body["steps"]
        ):
            yield Message("receipt.doors-contradict-step")


def _disorder(rows: dict[str, dict[str, Any]], issued: datetime | None) -> Iterator[Sentence]:
    """Yield where an instant of the agent's clock is earlier than one it follows, or later than the receipt."""
    instants = {mark: at for mark, row in rows.items() if row["clock"] == "agent" and (at := _instant(row["at"]))}
    chain = [mark for mark in ("approved", "received", "durable", "denied") if mark in instants]
    pairs: list[tuple[str, str]] = list(itertools.pairwise(chain))
    if "last-gone" in instants:
        pairs += [(mark, "last-gone") for mark in chain if mark != "denied"]
    for before, after in pairs:
        if instants[before] > instants[after]:
            yield Message("receipt.marks-out-of-order", after=after, before=before)
    for mark, at in instants.items():
        if issued and at > issued:
            yield Message("receipt.mark-after-issue", mark=mark)


def _inconsistent(row: dict[str, Any]) -> Iterator[Sentence]:
    """Yield where a mark contradicts itself: its state, its clock, its bounds."""
    mark, at = row["mark"], _instant(row["at"])
    if row["state"] not in _MARK_STATES or (row["state"] == "measured") is not (at is not None):
        yield Message("receipt.mark-state-mismatch", mark=mark)
    if row["clock"] != "agent" and (row["clock"], mark) != ("personnel", "approved"):
        yield Message("receipt.mark-clock-invalid", mark=mark)
    low, high = _instant(row["not_before"]), _instant(row["not_after"])
    if at and ((low and low > at) or (high and high < at)):
        yield Message("receipt.mark-outside-bounds", mark=mark)


def _miscounted(entries: dict[str, Any]) -> Iterator[Sentence]:
    count, first, last = entries["count"], entries["first"], entries["last"]
    consistent = first is not None and last is not None and 0 < first <= last and 0 < count <= last - first + 1
    if not consistent and (count, first, last) != (0, None, None):
        yield Message("receipt.own-entries-miscounted")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _microseconds(at: datetime, start: datetime) -> int:
    span = at - start
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _public(key_bytes: bytes) -> Ed25519PublicKey:
    try:
        if len(key_bytes) == 32:
            return Ed25519PublicKey.from_public_bytes(key_bytes)
        key = load_pem_public_key(key_bytes)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key() from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key()
    return key


def _no_key() -> UsageError:
    return UsageError(
        Message("receipt.not-ed25519-public-key"),
        Message("receipt.where-public-key"),
    )


def _wrong(text: Sentence) -> ReceiptReport:
    return ReceiptReport((text,))
