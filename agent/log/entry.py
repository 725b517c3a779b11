r"""Rendering of entries: from fields to the exact bytes of the record. Pure.

Rules of this file:

* For any input, one line of valid JSON in valid UTF-8 comes out, of at most 65,535 bytes, without a control
  character or an invisible one in it: every string passes ``visible`` (contract C9).
* An entry is never lost for being too long. Its longest parts are cut visibly, and ``"cut": true`` marks it.
* ``seq`` and ``time`` always come first, so that a reader finds them without parsing.
* No spaces, keys in the order they were given.

>>> render(7, "2026-03-01T08:00:00.000000Z", {"kind": "act", "args": {"name": "张三\n"}})
b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","kind":"act","args":{"name":"\xe5\xbc\xa0\xe4\xb8\x89\\\\x0a"}}'
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring
from math import isfinite

from agent.language.catalogue import expanded
from agent.log.segments import MAX_RECORD
from agent.runtime.json_string import json_string
from rules.visible import visible

# Limits tried in this order until an entry fits: longest string, most items, deepest nesting. The last always fits.
_LIMITS = ((MAX_RECORD, MAX_RECORD, 32), (8192, 4096, 16), (2048, 256, 8), (512, 64, 4), (32, 64, 1))
_CUT = ',"cut":true'
_MOST_BITS = 4096  # Python refuses to write out much longer integers


def json_path(raw: bytes) -> str:
    r"""Return the members for a file name: ``"path":"…"`` and, when that is not the name itself, its bytes in hex.

    >>> json_path(b"/plans/a\n")
    '"path":"/plans/a\\\\x0a","path_hex":"2f706c616e732f610a"'
    """
    try:
        text = raw.decode()
        if text.isprintable() or visible(text) == text:
            return f'"path":{encode_basestring(text)}'
    except UnicodeDecodeError:
        pass
    return f'"path":{json_string(raw)},"path_hex":"{raw.hex()}"'


def stamp(time: datetime) -> str:
    """Return *time*, which must be aware, as RFC 3339 in UTC with microseconds and ``Z``: always 27 characters."""
    if time.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def stamp_ns(nanoseconds: int) -> str:
    """Return *nanoseconds* since 1970 (``time.time_ns``) as :func:`stamp` does, faster, for the open path."""
    second, remainder = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(second)}.{remainder // 1000:06d}Z"


def render(seq: int, time: str, fields: Mapping[str, object]) -> bytes:
    """Return the record with number *seq*, stamped *time* (see :func:`stamp`), without a newline.

    Values may be None, bool, int, float, str, bytes, sentences, and lists and mappings (with names as keys) of these. A
    sentence is kept as code, parameters and what it says in both languages (:func:`agent.language.catalogue.spoken`).
    Raises TypeError for any other, and ValueError when *fields* holds ``seq``, ``time`` or ``cut``.
    """
    if not fields.keys().isdisjoint(("seq", "time", "cut")):
        raise ValueError("`seq`, `time` and `cut` are not for the caller to give")
    fields = expanded(fields)
    for limits in _LIMITS:
        writer = _Writer(*limits)
        members = "".join(f",{member}" for member in writer.members(fields, 1))
        line = f'{{"seq":{seq},"time":"{time}"{members}{_CUT if writer.cut else ""}}}'.encode()
        if len(line) <= MAX_RECORD:
            break
    return line


class _Writer:
    """JSON within limits; *cut*: whether anything was left out. Omitted parts are counted in their place."""

    def __init__(self, longest: int, most: int, deepest: int) -> None:
        self.longest, self.most, self.deepest = longest, most, deepest
        self.cut = False

    def members(self, fields: Mapping[str, object], depth: int) -> list[str]:
        members = [
            f"{self.string(key)}:{self.render(content, depth)}" for key, content in islice(fields.items(), self.most)
        ]
        if excess := self.beyond(len(fields), self.most):
            members.append(f'"…":{excess}')
        return members

    def render(self, content: object, depth: int) -> str:
        match content:
            case None | True | False:
                return {None: "null", True: "true", False: "false"}[content]
            case int() if content.bit_length() <= _MOST_BITS:
                return int.__repr__(content)
            case float() if isfinite(content):
                return float.__repr__(content)
            case int() | float():
                return '"…"' if isinstance(content, int) else f'"{content}"'
            case str() | bytes():
                return self.string(content)
        if not isinstance(content, list | tuple | Mapping):
            raise TypeError(f"a {type(content).__name__} cannot be recorded")
        if depth >= self.deepest:
            self.cut = True
            return '"…"'
        if isinstance(content, Mapping):
            return f"{{{','.join(self.members(content, depth + 1))}}}"
        items = [self.render(member, depth + 1) for member in islice(content, self.most)]
        if excess := self.beyond(len(content), self.most):
            items.append(f'"…(+{excess})"')
        return f"[{','.join(items)}]"

    def string(self, content: str | bytes) -> str:
        text = visible(content[: self.longest])
        if excess := self.beyond(len(content), self.longest):
            text += f"…(+{excess})"
        return encode_basestring(text)

    def beyond(self, length: int, limit: int) -> int:
        excess = max(length - limit, 0)
        self.cut = self.cut or excess > 0
        return excess


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
