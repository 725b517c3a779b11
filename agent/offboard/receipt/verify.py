"""Checking a receipt anywhere, with nothing but its bytes and a public key.

Rules of this file: it shares no code with what wrote the receipt, opens no file and asks nobody. Every byte counts: a
receipt that says the same in other bytes is not that receipt. Whether a revocation is complete is worked out again
from what was measured; what the receipt claims about it is only compared.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from agent.errors import UsageError
from agent.offboard.receipt.schema import RECEIPT, fits
from rules.text import Text
from rules.visible import visible

_LARGEST = 8 << 20  # bytes
_MISSHAPEN = Text("the signature fits, but the content has not the shape of a receipt", "签名相符，但内容不是回执格式")


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What a check found. ``payload`` is given only when the signature is right."""

    problems: tuple[Text, ...]
    left: tuple[str, ...] = ()
    payload: dict[str, Any] | None = None

    @property
    def genuine(self) -> bool:
        """Whether the agent with that key wrote it and not a byte was changed since."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether it is genuine and says that nothing is left open."""
        return self.genuine and not self.left


def verify(receipt: bytes, public_key: bytes) -> ReceiptReport:
    """Check a receipt against the public key of the agent: PEM, or the 32 bytes themselves.

    Raises :class:`UsageError` for a key that is none; nothing else, whatever the receipt is.
    """
    key = _public(public_key)
    if len(receipt) > _LARGEST:
        return _wrong("it is too large for a receipt", "文件过大，不是回执")
    lines = receipt.split(b"\n")
    if len(lines) != 3 or lines[2]:
        return _wrong("it has not the two lines of a receipt", "不是两行的回执格式")
    payload, seal = lines[0], lines[1]
    print_of_key = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    try:
        claimed = json.loads(seal)
        named, signature = claimed["key"], base64.b64decode(claimed["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return _wrong("the line of the signature cannot be read", "签名行无法读取")
    if named != print_of_key:
        return _wrong("it was signed with another key", "由其他密钥签名")
    if seal != b'{"key":"%b","signature":"%b"}' % (print_of_key.encode(), base64.b64encode(signature)):
        return _wrong("the line of the signature was rewritten", "签名行被改写")
    try:
        key.verify(signature, payload)
    except InvalidSignature:
        return _wrong("the signature does not fit: it was changed after it was signed", "签名不符：签名后被改动")
    return _read(payload, print_of_key)


def _read(payload: bytes, key: str) -> ReceiptReport:
    """Judge bytes that are known to be the agent's."""
    try:
        body = json.loads(payload, object_pairs_hook=_once)
        if not isinstance(body, dict) or (body.get("kind"), body.get("version")) != (
            RECEIPT["kind"],
            RECEIPT["version"],
        ):
            return _wrong("it is of a kind or version that is not known here", "种类或版本未知")
        if not fits(body, RECEIPT):
            return _wrong(*_MISSHAPEN)
        left = tuple(_left(body))
        problems = tuple(_disagreements(body, left, key))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _wrong(
            "the signature fits, but the content has not the shape of a receipt", "签名相符，但内容不是回执格式"
        )
    return ReceiptReport(problems, left, body)


def _left(body: dict[str, Any]) -> Iterator[str]:
    """Yield what is not over, from the measurements alone, in the words the receipt uses."""
    for step in body["steps"]:
        if step["state"] not in ("done", "confirmed", "skipped", "cannot-see"):
            yield f"step:{step['id']}"
    for door in body["doors"]:
        if door["state"] != "confirmed":
            yield f"door:{door['door']}"
    at = {row["mark"]: row["at"] and datetime.fromisoformat(row["at"]) for row in body["timeline"]}
    for mark in ("received", "durable", "denied"):
        if not at[mark]:
            yield f"mark:{mark}"
    if not _absent(body["proof"]):
        yield "proof"
    if at["last-read"] and at["denied"] and at["last-read"] > at["denied"]:
        yield "late-read"


def _absent(proof: dict[str, Any] | None) -> bool:
    """Whether two looks found nothing and every account and root was denied at every area."""
    if not proof or proof["unreached"] or proof["untouched"] or len(proof["scans"]) < 2:
        return False
    for scan in proof["scans"]:
        if scan["complete"] is not True or scan["found"] != [] or scan["holding"] != []:
            return False
    asked: dict[tuple[int, int], int] = {(uid, uid): 0 for uid in proof["uids"]}
    asked |= {(0, uid): 0 for uid in proof["uids"]}
    for attempt in proof["attempts"]:
        if attempt["answer"] != "denied" or attempt["error"] not in ("EPERM", "EACCES"):
            return False
        asked[attempt["uid"], attempt["login"]] += attempt["what"] == "list"
    return all(count == proof["areas"] for count in asked.values())


def _disagreements(body: dict[str, Any], left: tuple[str, ...], key: str) -> Iterator[Text]:
    """Yield where the receipt contradicts itself."""
    if body["key"] != key:
        yield Text("it names another key than the one that signed it", "所记密钥与签名密钥不一致")
    if body["complete"] is not (not left) or sorted(body["open"]) != sorted(left):
        yield Text("it claims another state than its measurements show", "所称状态与测量结果不一致")
    at = {row["mark"]: row for row in body["timeline"]}
    start = datetime.fromisoformat(at["received"]["at"]) if at["received"]["at"] else None
    for row in [*(row for row in body["timeline"] if row["mark"] != "approved"), *body["doors"]]:
        if row["at"] and start:
            span = datetime.fromisoformat(row["at"]) - start
            if row["after_us"] != (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds:
                name = visible(str(row.get("mark", row.get("door"))))
                yield Text(f"the span of `{name}` does not fit its instant", f"`{name}` 的时长与时刻不符")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _public(given: bytes) -> Ed25519PublicKey:
    try:
        if len(given) == 32:
            return Ed25519PublicKey.from_public_bytes(given)
        key = load_pem_public_key(given)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key() from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key()
    return key


def _no_key() -> UsageError:
    return UsageError(
        Text("this is not an Ed25519 public key", "这不是 Ed25519 公钥"),
        Text(
            "it is `public_key` in: shoumi case receipt PERSON --json",
            "公钥见 `public_key`：shoumi case receipt 人员编号 --json",
        ),
    )


def _wrong(english: str, chinese: str) -> ReceiptReport:
    return ReceiptReport((Text(english, chinese),))
