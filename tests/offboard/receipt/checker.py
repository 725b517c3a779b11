"""A checker of receipts, written from ``docs/receipt.md`` alone: standard library and ``cryptography``.

Rules of this file: no import of the product. What the page does not say is not done here; when the two disagree, the
page is wrong, or the product is.

    python checker.py FILE KEY.pem      exit code 0 complete, 1 open, 2 not genuine
"""

import base64
import hashlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

LARGEST = 8 * 1024 * 1024
MARKS = ["approved", "received", "durable", "denied", "last-read", "last-gone"]
SEAL = re.compile(rb'\{"key":"([0-9a-f]{64})","signature":"([A-Za-z0-9+/]+={0,2})"\}')


class NotGenuineError(Exception):
    """The receipt breaks a rule of the page."""


def need(holds: object, rule: str) -> None:
    if not holds:
        raise NotGenuineError(rule)


def check(receipt: bytes, pem: bytes) -> list[str]:
    """Return what is open; raise :class:`NotGenuineError`."""
    try:
        return _check(receipt, pem)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotGenuineError(repr(error)) from error


def _check(receipt: bytes, pem: bytes) -> list[str]:
    need(len(receipt) <= LARGEST, "size")
    parts = receipt.split(b"\n")
    need(len(parts) == 3 and not parts[2], "two lines")
    payload, seal = parts[0], SEAL.fullmatch(parts[1])
    need(seal, "seal")
    assert seal
    key = load_pem_public_key(pem)
    assert isinstance(key, Ed25519PublicKey)
    fingerprint = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    need(seal[1].decode() == fingerprint, "another key")
    signature = base64.b64decode(seal[2], validate=True)
    need(len(signature) == 64 and base64.b64encode(signature) == seal[2], "base64")
    try:
        key.verify(signature, payload)
    except InvalidSignature:
        raise NotGenuineError("signature") from None
    body = json.loads(payload.decode("utf-8"), object_pairs_hook=once)
    need(type(body) is dict, "an object")
    first = type(body.get("version")) is int and body["version"] == 1
    shape(body, VERSION_1 if first else VERSION_2, "")
    need(body["key"] == fingerprint, "key")
    spans(body, strict=not first)
    if not first:
        timeline(body)
        own_entries(body["own_entries"])
        absent = [s for s in body["steps"] if s["id"] == "doors" and s["state"] in ("not-present", "not-part")]
        need(not absent or not body["doors"], "doors of a step that is not there")
    left = still_open(body, first=first)
    need(sorted(left) == sorted(body["open"]), "open")
    need(body["complete"] is (not left), "complete")
    return left


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len({name for name, _ in pairs}) == len(pairs), "a member twice")
    return dict(pairs)


# The members. A function judges a value; a dict is an object with exactly these members; a list, of such items. -------


def string(value: object) -> bool:
    return type(value) is str


def integer(value: object) -> bool:
    return type(value) is int


def boolean(value: object) -> bool:
    return type(value) is bool


def anything(value: object) -> bool:
    return type(value) is dict


def an_instant(value: object) -> bool:
    try:
        return type(value) is str and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


class Maybe:
    def __init__(self, inner: Any) -> None:
        self.inner = inner


class OneOf:
    def __init__(self, *values: object) -> None:
        self.values = values


WORDS = {"en": string, "zh": string}
MARK = {
    "mark": string,
    "at": Maybe(an_instant),
    "after_us": Maybe(integer),
    "state": string,
    "clock": string,
    "source": string,
    "not_before": Maybe(an_instant),
    "not_after": Maybe(an_instant),
    "compared": Maybe(string),
    "seq": Maybe(integer),
}
VERSION_2: dict[str, Any] = {
    "kind": OneOf("shoumi-revocation-receipt"),
    "version": OneOf(2),
    "issued": an_instant,
    "host": string,
    "person": string,
    "case": string,
    "cause": string,
    "reference": string,
    "pack": string,
    "approvers": [
        {
            "signed": {
                "by": string,
                "role": string,
                "title": Maybe(WORDS),
                "at": Maybe(an_instant),
                "clock": OneOf("agent", "personnel"),
                "opinion": string,
                "key": Maybe(string),
            },
            "written": Maybe({"by": string, "at": Maybe(an_instant)}),
        }
    ],
    "lost": [{"area": string}],
    "act": string,
    "seq": Maybe(integer),
    "timeline": [MARK],
    "doors": [
        {"door": string, "state": string, "at": Maybe(an_instant), "after_us": Maybe(integer), "detail": WORDS},
    ],
    "steps": [{"id": string, "title": WORDS, "state": string, "detail": WORDS, "facts": anything}],
    "proof": Maybe(
        {
            "scans": [
                {
                    "at": an_instant,
                    "complete": boolean,
                    "found": [
                        {
                            "pid": integer,
                            "uid": integer,
                            "name": string,
                            "state": string,
                            "reach": string,
                            "started_by": Maybe(
                                {"kind": OneOf("unit", "container", "process"), "name": string, "pid": integer}
                            ),
                        }
                    ],
                    "holding": [integer],
                    "left": integer,
                    "unseen": [string],
                }
            ],
            "attempts": [
                {
                    "area": string,
                    "what": OneOf("list", "file"),
                    "uid": integer,
                    "login": integer,
                    "answer": string,
                    "error": string,
                }
            ],
            "unreached": [string],
            "areas": integer,
            "uids": [integer],
            "untouched": [integer],
        }
    ),
    "own_entries": {"count": integer, "first": Maybe(integer), "last": Maybe(integer)},
    "cannot_see": [WORDS],
    "key": string,
    "previous": Maybe(string),
    "open": [string],
    "complete": boolean,
}
SCAN_1 = {
    "at": an_instant,
    "complete": boolean,
    "found": [{"pid": integer, "uid": integer, "name": string}],
    "holding": [integer],
    "left": integer,
}
VERSION_1: dict[str, Any] = {
    name: inner for name, inner in VERSION_2.items() if name not in ("lost", "act", "seq", "own_entries")
} | {
    "version": OneOf(1),
    "approvers": [anything],
    "timeline": [{name: MARK[name] for name in ("mark", "at", "after_us", "state", "clock")}],
    "proof": Maybe(VERSION_2["proof"].inner | {"scans": [SCAN_1]}),
}


def shape(value: Any, wanted: Any, path: str) -> None:
    if isinstance(wanted, Maybe):
        if value is not None:
            shape(value, wanted.inner, path)
    elif isinstance(wanted, OneOf):
        need(any(type(value) is type(one) and value == one for one in wanted.values), path)
    elif isinstance(wanted, dict):
        need(type(value) is dict and value.keys() == wanted.keys(), f"members of {path or 'the receipt'}")
        for name, inner in wanted.items():
            shape(value[name], inner, f"{path}.{name}")
    elif isinstance(wanted, list):
        need(type(value) is list, path)
        for item in value:
            shape(item, wanted[0], f"{path}[]")
    else:
        need(wanted(value), path)


# What must hold. ------------------------------------------------------------------------------------------------------


def instant(word: str | None) -> datetime | None:
    return None if word is None else datetime.fromisoformat(word)


def spans(body: dict[str, Any], *, strict: bool) -> None:
    received = instant({row["mark"]: row["at"] for row in body["timeline"]}["received"])
    for row in [*body["timeline"], *body["doors"]]:
        at = instant(row["at"])
        if at and received and row.get("clock") != "personnel":
            span = at - received
            need(row["after_us"] == (span.days * 86400 + span.seconds) * 1000000 + span.microseconds, "span")
        elif strict:
            need(row["after_us"] is None, "span of what is not known")


def timeline(body: dict[str, Any]) -> None:
    rows = body["timeline"]
    need([row["mark"] for row in rows] == MARKS, "the six marks")
    known: dict[str, datetime] = {}
    for row in rows:
        at = instant(row["at"])
        need(row["state"] in ("measured", "none", "pending", "unordered"), "state of a mark")
        need((row["state"] == "measured") == (at is not None), "state and instant")
        need(row["clock"] == "agent" or (row["clock"] == "personnel" and row["mark"] == "approved"), "clock")
        low, high = instant(row["not_before"]), instant(row["not_after"])
        if at:
            need((not low or low <= at) and (not high or at <= high), "bounds")
            if row["clock"] == "agent":
                known[row["mark"]] = at
    chain = [known[mark] for mark in MARKS[:4] if mark in known]
    need(chain == sorted(chain), "order")
    if "last-gone" in known:
        need(all(known[mark] <= known["last-gone"] for mark in MARKS[:3] if mark in known), "order of last-gone")
    issued = datetime.fromisoformat(body["issued"])
    need(all(at <= issued for at in known.values()), "later than the receipt")


def own_entries(found: dict[str, Any]) -> None:
    count, first, last = found["count"], found["first"], found["last"]
    if count == 0:
        need(first is None and last is None, "own entries")
    else:
        need(first is not None and last is not None, "own entries")
        need(1 <= first <= last and 1 <= count <= last - first + 1, "own entries")


def still_open(body: dict[str, Any], *, first: bool) -> list[str]:
    over = {"done", "confirmed", "cannot-see"} | ({"skipped"} if first else {"not-present", "not-part"})
    left = [f"step:{step['id']}" for step in body["steps"] if step["state"] not in over]
    left += [f"door:{door['door']}" for door in body["doors"] if door["state"] != "confirmed"]
    wanted = {"received", "durable", "denied"}
    if body["cause"] == "expiry" and not first:
        wanted.remove("durable")
    for row in body["timeline"]:
        if row["state"] == "unordered" or (row["at"] is None and row["mark"] in wanted):
            left.append(f"mark:{row['mark']}")
    at = {row["mark"]: instant(row["at"]) for row in body["timeline"]}
    read, denied = at["last-read"], at["denied"]
    if read and denied and read > denied:
        left.append("late-read")
    if not proven(body["proof"]):
        left.append("proof")
    return left


def proven(proof: dict[str, Any] | None) -> bool:
    if proof is None or proof["unreached"] or proof["untouched"] or len(proof["scans"]) < 2:
        return False
    if not all(scan["complete"] and not scan["found"] and not scan["holding"] for scan in proof["scans"]):
        return False
    pairs = {(uid, uid) for uid in proof["uids"]} | {(0, uid) for uid in proof["uids"]}
    lists = dict.fromkeys(pairs, 0)
    for one in proof["attempts"]:
        who = one["uid"], one["login"]
        if one["answer"] != "denied" or one["error"] not in ("EPERM", "EACCES") or who not in pairs:
            return False
        lists[who] += one["what"] == "list"
    return all(count == proof["areas"] for count in lists.values())


def main() -> int:
    try:
        left = check(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes())
    except NotGenuineError as error:
        print(f"not genuine: {error}")
        return 2
    print("\n".join(["genuine", *left]))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
