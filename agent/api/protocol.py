"""Protocol of the local API: one JSON object a line over a stream socket.

    → {"id": …, "op": "grant.add", "args": {…}}
    ← {"id": …, "ok": true, "result": …}
    ← {"id": …, "ok": false, "error": {"kind", "code", "parameters", "hint": {code, parameters} | null}}
    ← {"id": …, "item": …}  any number of times, then {"id": …, "ok": true}      (streams)

Rules of this file: pure; bytes in, JSON values out. A request is at most :data:`LIMIT` bytes and is read strictly: a
key given twice could be read in two ways, so it is refused; so is what JSON does not have (``NaN``) and what SQLite and
terminals cannot hold (a lone surrogate outside a path).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.errors import ShoumiError, UsageError
from rules.text import Message, Sentence

LIMIT = 1 << 20  # bytes of one request, with its newline
ID_LIMIT = 64  # characters of a request id

Json = object  # what json.loads can give


@dataclass(frozen=True, slots=True)
class Call:
    """One request as read. ``id`` is the caller's own and comes back with every line of the answer."""

    id: str
    op: str
    args: Mapping[str, Json]


def parse(line: bytes) -> Call:
    """Read one request line; raise :class:`UsageError` for anything that is not exactly a request."""
    if len(line) > LIMIT:
        raise _garbled(Message("api.request-too-large"))
    try:
        request_object = json.loads(
            line.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except UsageError:
        raise
    except UnicodeDecodeError:
        raise _garbled(Message("api.not-utf-8")) from None
    except (ValueError, RecursionError):
        raise _garbled(Message("api.not-json-line")) from None
    if not isinstance(request_object, dict) or not request_object.keys() <= {"id", "op", "args"}:
        raise _garbled(Message("api.request-not-an-object"))
    op, ident, args = request_object.get("op"), request_object.get("id", ""), request_object.get("args", {})
    if not isinstance(op, str) or not isinstance(ident, str) or len(ident) > ID_LIMIT or not isinstance(args, dict):
        raise _garbled(Message("api.request-field-types"))
    return Call(ident, op, args)


def request(ident: str, op: str, args: Mapping[str, Json]) -> bytes:
    """Return the line a client sends."""
    return _line({"id": ident, "op": op, "args": args})


def result(ident: str, payload: Json) -> bytes:
    """Return the line that ends a call."""
    return _line({"id": ident, "ok": True, "result": payload})


def item(ident: str, payload: Json) -> bytes:
    """Return one line of a stream."""
    return _line({"id": ident, "item": payload})


def end(ident: str) -> bytes:
    """Return the line that ends a stream."""
    return _line({"id": ident, "ok": True})


def failure(ident: str, error: ShoumiError) -> bytes:
    """Return the line that reports the error that ended a call or a stream."""
    return _line({"id": ident, "ok": False, "error": error.to_json()})


def _line(message: Mapping[str, Json]) -> bytes:
    # ASCII on the wire: a path with bytes that are not UTF-8 travels as lone surrogates, which only escapes can carry.
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _without_duplicates(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    table: dict[str, Json] = {}
    for key, argument in pairs:
        if key in table:
            raise _garbled(Message("api.duplicate-key"))
        table[key] = argument
    return table


def _no_constant(_constant: str) -> Json:
    raise _garbled(Message("api.number-invalid"))


def _garbled(reason: Sentence) -> UsageError:
    return UsageError(Message("api.request-invalid", reason=reason))
