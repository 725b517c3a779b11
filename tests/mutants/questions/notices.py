"""Which notices of HR are taken, and for what: all vectors, and a right notice with one thing wrong in it."""

import dataclasses
import functools
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from agent.offboard.intake import pinned_keys
from agent.offboard.intake.token import verify
from rules.offboarding.vocabulary import CaseKind
from tests.mutants.asking import Question
from tests.offboard.intake.signing import DEPARTURE, departure, details, right, signed
from tests.offboard.intake.signing import NOW as AT
from tests.offboard.intake.site import KEYS, NOW, TOKENS

_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, 1e400, 10**400, "", " ", "x", "x ", "\u202ex", "x" * 129, "x" * 1025, [], {},
    [1], {"a": 1}, "2026-12-31", "2026-02-30", "2026-12-31T08:00:00", "2026-12-31T08:00:00Z", "2099-01-01", "core",
    AT, AT - 10**6, AT + 10**6, AT * 1000,
)  # fmt: skip
_APPROVERS = departure()["events"][DEPARTURE]["approvers"]


def questions() -> Iterator[Question]:
    """Yield the questions."""
    for path in sorted(TOKENS.glob("*.json")):
        vector = json.loads(path.read_text())
        for drop in vector["drops"]:
            yield taken, (drop["token"], vector.get("approvals_needed", 2))
    for claim in ("iat", "jti", "toe", "txn", "sub_id", "events", "aud", "iss", "exp", "sub", "nbf", "approvals"):
        for value in _ODD:
            yield taken, (signed(_finite(departure(**{claim: value}))), 0)
    for name in (
        "kind",
        "last_day",
        "effective",
        "batch",
        "class",
        "department",
        "post",
        "cooling_off_until",
        "approvers",
        "more",
    ):
        for value in _ODD:
            yield taken, (signed(_finite(departure(events=details(**{name: value})))), 0)
    for members in ({"format": "email"}, {"subject_type": "email"}, {"format": "complex"}, {"subject_type": "iss_sub"}):
        for more in ({"email": "a@b.example"}, {"format": "iss_sub", "iss": "x", "sub": "y"}, {"user": "y"}, {}):
            yield taken, (signed(departure(sub_id=members | more)), 0)
    for days in (-1, 0, 1, 2, 50 * 366 - 1, 50 * 366, 50 * 366 + 1, 51 * 366):
        until = ((NOW - timedelta(seconds=10)).date() + timedelta(days=days)).isoformat()
        yield taken, (right(departure(events=details(cooling_off_until=until))), 2)
    for kind in CaseKind:
        for where in ("department", "post"):
            yield taken, (right(departure(events=details(kind=kind.value, **{where: "archive"}))), 2)
    for name in ("role", "by", "at", "opinion", "more"):
        for value in _ODD:
            odd = [_APPROVERS[0], {**_APPROVERS[1], name: value}]
            yield taken, (signed(_finite(departure(events=details(approvers=odd)))), 0)
    for several in ([], _APPROVERS[:1], _APPROVERS * 2, [{**_APPROVERS[0], "by": "E1001"}, _APPROVERS[1]]):
        yield taken, (signed(departure(events=details(approvers=several))), 0)


@functools.cache
def _pinned() -> pinned_keys.PinnedKeys:
    return pinned_keys.load(KEYS / "hr-keys.json")


def _finite(claims: Mapping[str, Any]) -> bytes:
    """Return *claims* as JSON, with numbers that are too large for it written as they are."""
    return json.dumps(claims).replace("Infinity", "1e400").encode()


def taken(token: str, needed: int) -> Collection[str]:
    """What a notice is taken for."""
    notice = verify(token.encode(), dataclasses.replace(_pinned(), approvals_needed=needed), NOW)
    return ["taken", json.dumps(notice.to_json(), sort_keys=True)]
