"""Checking a receipt anywhere, with nothing but its bytes and a public key.

Rules of this file: it shares no code with what wrote the receipt, opens no file and asks nobody. Every byte counts: a
receipt that says the same in other bytes is not that receipt. Whether a revocation is complete is worked out again
from what was measured; what the receipt claims about it is only compared.
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
from rules.text import Text
from rules.visible import visible

_LARGEST = 8 << 20  # bytes
_MARKS = ("approved", "received", "durable", "denied", "last-read", "last-gone")
_MARK_STATES = ("measured", "none", "pending", "unordered")
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
        version = body.get("version") if isinstance(body, dict) else None
        shape = SHAPES.get(version) if type(version) is int else None
        if shape is None or body.get("kind") != RECEIPT["kind"]:
            return _wrong("it is of a kind or version that is not known here", "种类或版本未知")
        if not fits(body, shape):
            return _wrong(*_MISSHAPEN)
        left = tuple(_left(body))
        problems = tuple(_disagreements(body, left, key))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _wrong(*_MISSHAPEN)
    return ReceiptReport(problems, left, body)


def _left(body: dict[str, Any]) -> Iterator[str]:
    """Yield what is not over, from the measurements alone, in the words the receipt uses."""
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
        who = attempt["uid"], attempt["login"]
        if who not in asked:
            return False
        asked[who] += attempt["what"] == "list"
    return all(count == proof["areas"] for count in asked.values())


def _disagreements(body: dict[str, Any], left: tuple[str, ...], key: str) -> Iterator[Text]:
    """Yield where the receipt contradicts itself."""
    if body["key"] != key:
        yield Text("it names another key than the one that signed it", "所记密钥与签名密钥不一致")
    if body["complete"] is not (not left) or sorted(body["open"]) != sorted(left):
        yield Text("it claims another state than its measurements show", "所称状态与测量结果不一致")
    rows = {row["mark"]: row for row in body["timeline"]}
    start = _instant(rows["received"]["at"])
    for row in [*body["timeline"], *body["doors"]]:
        at, personnel = _instant(row["at"]), row.get("clock") == "personnel"
        known = None if personnel or at is None or start is None else _microseconds(at, start)
        if row["after_us"] != known and (known is not None or body["version"] != 1):
            name = visible(str(row.get("mark", row.get("door"))))
            yield Text(f"the span of `{name}` does not fit its instant", f"`{name}` 的时长与时刻不符")
    if body["version"] != 1:
        if [row["mark"] for row in body["timeline"]] != list(_MARKS):
            yield Text("its timeline has not the six marks, each once", "时间线不是六个时刻各一次")
            return
        yield from _disorder(rows, _instant(body["issued"]))
        for row in body["timeline"]:
            yield from _inconsistent(row)
        yield from _miscounted(body["own_entries"])
        if body["doors"] and any(
            step["id"] == "doors" and step["state"] in ("not-present", "not-part") for step in body["steps"]
        ):
            yield Text("it names doors, and says that there are none to it", "列出了门，却又称不涉及门")


def _disorder(rows: dict[str, dict[str, Any]], issued: datetime | None) -> Iterator[Text]:
    """Yield where an instant of the agent's clock is earlier than what it follows from, or later than the receipt."""
    mine = {mark: at for mark, row in rows.items() if row["clock"] == "agent" and (at := _instant(row["at"]))}
    chain = [mark for mark in ("approved", "received", "durable", "denied") if mark in mine]
    pairs: list[tuple[str, str]] = list(itertools.pairwise(chain))
    if "last-gone" in mine:
        pairs += [(mark, "last-gone") for mark in chain if mark != "denied"]
    for before, after in pairs:
        if mine[before] > mine[after]:
            yield Text(f"`{after}` is earlier than `{before}`, on one clock", f"同一时钟上 `{after}` 早于 `{before}`")
    for mark, at in mine.items():
        if issued and at > issued:
            yield Text(f"`{mark}` is later than the receipt itself", f"`{mark}` 晚于回执签发时刻")


def _inconsistent(row: dict[str, Any]) -> Iterator[Text]:
    """Yield where a mark contradicts itself: its state, its clock, its bounds."""
    mark, at = row["mark"], _instant(row["at"])
    if row["state"] not in _MARK_STATES or (row["state"] == "measured") is not (at is not None):
        yield Text(f"`{mark}` contradicts its own state", f"`{mark}` 与其状态不符")
    if row["clock"] != "agent" and (row["clock"], mark) != ("personnel", "approved"):
        yield Text(f"`{mark}` is of a clock that it cannot be of", f"`{mark}` 所属时钟有误")
    low, high = _instant(row["not_before"]), _instant(row["not_after"])
    if at and ((low and low > at) or (high and high < at)):
        yield Text(f"`{mark}` lies outside its own bounds", f"`{mark}` 超出其自身界限")


def _miscounted(found: dict[str, Any]) -> Iterator[Text]:
    count, first, last = found["count"], found["first"], found["last"]
    some = first is not None and last is not None and 0 < first <= last and 0 < count <= last - first + 1
    if not some and (count, first, last) != (0, None, None):
        yield Text("the count of the agent's own entries does not fit their numbers", "代理自身条目的计数与序号不符")


def _instant(word: str | None) -> datetime | None:
    return datetime.fromisoformat(word) if word else None


def _microseconds(at: datetime, start: datetime) -> int:
    span = at - start
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


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
