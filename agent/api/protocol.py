"""The local API on the wire: one JSON object a line over a stream socket.

    → {"id": …, "op": "grant.add", "args": {…}}
    ← {"id": …, "ok": true, "result": …}
    ← {"id": …, "ok": false, "error": {"kind", "text": {en, zh}, "hint": {en, zh} | null}}
    ← {"id": …, "item": …}  any number of times, then {"id": …, "ok": true}      (streams)

Rules of this file: pure bytes in, values out. A request is at most :data:`LIMIT` bytes and is read strictly: a key
given twice means two readers could understand it differently, so it is refused, and so is whatever JSON does not have
(``NaN``) or SQLite and terminals cannot hold (a lone surrogate outside a path).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.errors import ShoumiError, UsageError
from rules.text import Text

LIMIT = 1 << 20  # bytes of one request, with its newline
ID_LIMIT = 64  # characters of a request id

Json = object  # what json.loads can give


@dataclass(frozen=True, slots=True)
class Call:
    """One request as understood. ``id`` is the caller's own and comes back with every line of the answer."""

    id: str
    op: str
    args: Mapping[str, Json]


def parse(line: bytes) -> Call:
    """Read one request line; raise :class:`UsageError` for anything that is not exactly a request."""
    if len(line) > LIMIT:
        raise _garbled("larger than 1 MiB", "超过 1 MiB")
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UsageError:
        raise
    except UnicodeDecodeError:
        raise _garbled("not UTF-8", "不是 UTF-8") from None
    except (ValueError, RecursionError):
        raise _garbled("not one line of JSON", "不是一行 JSON") from None
    if not isinstance(value, dict) or not value.keys() <= {"id", "op", "args"}:
        raise _garbled("not an object with `id`, `op` and `args`", "不是含 `id`、`op`、`args` 的对象")
    op, ident, args = value.get("op"), value.get("id", ""), value.get("args", {})
    if not isinstance(op, str) or not isinstance(ident, str) or len(ident) > ID_LIMIT or not isinstance(args, dict):
        raise _garbled("`id` and `op` are strings and `args` an object", "`id`、`op` 应为字符串，`args` 应为对象")
    return Call(ident, op, args)


def request(ident: str, op: str, args: Mapping[str, Json]) -> bytes:
    """Return the line a client sends."""
    return _line({"id": ident, "op": op, "args": args})


def result(ident: str, value: Json) -> bytes:
    """Return the line that ends a call."""
    return _line({"id": ident, "ok": True, "result": value})


def item(ident: str, value: Json) -> bytes:
    """Return one line of a stream."""
    return _line({"id": ident, "item": value})


def end(ident: str) -> bytes:
    """Return the line that ends a stream."""
    return _line({"id": ident, "ok": True})


def failure(ident: str, error: ShoumiError) -> bytes:
    """Return the line that says why a call or a stream ended early."""
    return _line({"id": ident, "ok": False, "error": error.to_json()})


def _line(value: Mapping[str, Json]) -> bytes:
    # ASCII on the wire: a path with bytes that are not UTF-8 travels as lone surrogates, which only escapes can carry.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _once(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    table: dict[str, Json] = {}
    for key, value in pairs:
        if key in table:
            raise _garbled("a key is given twice", "同一个键出现两次")
        table[key] = value
    return table


def _no_constant(_word: str) -> Json:
    raise _garbled("not a number JSON knows", "不是 JSON 允许的数字")


def _garbled(en: str, zh: str) -> UsageError:
    return UsageError(Text(f"the request is not understood: {en}", f"无法理解请求：{zh}"))
