"""Strict JSON and compact JWS parsing, such that two implementations read the same thing.

Rules of this file: sizes are checked before bytes are decoded, depth before JSON is parsed. A repeated member, ``NaN``,
text that is not Unicode, and an encoding other than UTF-8 are errors: PyJWT lets the last member win and guesses
UTF-16, and another program may do otherwise (RFC 8259 section 4, RFC 8725 section 3.7). Everything is pure.
"""

import base64
import json
import re
from typing import Any

from agent.offboard.intake.reasons import BadTokenError

LARGEST = 64 * 1024  # bytes of a token
DEEPEST = 10  # objects and arrays within each other; the deepest right token has five

Json = dict[str, Any]

_PART = re.compile(rb"[A-Za-z0-9_-]+={0,2}")
# An unterminated string extends to the end of the text, so that a scan reads every byte once.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def parts(token: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, payload and signature of a compact JWS, decoded; raise :class:`BadTokenError`.

    ``=`` at the end of a part is accepted as PyJWT does: the event is the same, and it is known by its number.
    """
    if len(token) > LARGEST:
        raise BadTokenError("too-large")
    split = token.split(b".")
    if len(split) != 3 or not all(_PART.fullmatch(part) for part in split):
        raise BadTokenError("not-a-token")
    header, payload, signature = (_decoded(part) for part in split)
    return header, payload, signature


def read(text: bytes) -> Json:
    """Return the JSON object that *text* is; raise :class:`BadTokenError`."""
    check_depth(text)
    try:
        parsed = json.loads(text.decode("utf-8"), object_pairs_hook=_object)
        json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()  # no lone surrogate, NaN, 1e999
    except (ValueError, RecursionError) as error:  # UnicodeError and JSONDecodeError are ValueErrors
        raise BadTokenError("not-json") from error
    if not isinstance(parsed, dict):
        raise BadTokenError("not-json")
    return parsed


def check_depth(text: bytes) -> None:
    """Raise :class:`BadTokenError` when *text* nests deeper than :data:`DEEPEST`, in one pass and without parsing."""
    depth = 0
    for match_ in _STRING_OR_BRACKET.finditer(text):
        match match_.group()[:1]:
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
        if depth > DEEPEST:
            raise BadTokenError("too-deep")


def same(left_json: object, right_json: object) -> bool:
    """Whether two parsed values are the same JSON. Unlike ``==``, ``1``, ``1.0`` and ``true`` are three values."""
    return json.dumps(left_json, sort_keys=True) == json.dumps(right_json, sort_keys=True)


def _decoded(part: bytes) -> bytes:
    bare = part.rstrip(b"=")
    if len(bare) % 4 == 1:
        raise BadTokenError("not-a-token")
    decoded = base64.urlsafe_b64decode(bare + b"=" * (-len(bare) % 4))
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != bare:  # spare bits that are not zero
        raise BadTokenError("not-a-token")
    return decoded


def _object(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        raise BadTokenError("duplicate-member", next(name for name in names if names.count(name) > 1))
    return members
