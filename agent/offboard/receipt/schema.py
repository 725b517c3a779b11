"""The shape of a receipt, by version, as data: the requirements of a checker before it trusts or shows anything.

Rules of this file: pure. A dictionary here means exactly these members, a list any number of such items, a tuple one of
these; a type is that type and no other (``True`` is no number); ``AT`` is an instant with its offset.
"""

from datetime import datetime
from typing import Any, Final


class _At:
    """An RFC 3339 instant."""


AT: Final = _At()
NOT_PRESENT: Final = "not-present"
"""State of a step: it does not apply to this host."""
NOT_PART: Final = "not-part"
"""State of a step: a revocation for such a cause is not about it."""
_SPAN: Final = (int, None)
_WORDS: Final = {"en": str, "zh": str}
_SCAN: Final = {
    "at": AT,
    "complete": bool,
    "found": [{"pid": int, "uid": int, "name": str}],
    "holding": [int],
    "left": int,
}
_STARTER: Final = {"kind": ("unit", "container", "process"), "name": str, "pid": int}
_FOUND: Final = {"pid": int, "uid": int, "name": str, "state": str, "reach": str, "started_by": (_STARTER, None)}
_SEEN: Final = {**_SCAN, "found": [_FOUND], "unseen": [str]}
"""A scan with what it did not inspect and the starters of what it found; those of version 1 have neither."""
_ATTEMPT: Final = {"area": str, "what": ("list", "file"), "uid": int, "login": int, "answer": str, "error": str}
_PROOF: Final = {
    "scans": [_SEEN],
    "attempts": [_ATTEMPT],
    "unreached": [str],
    "areas": int,
    "uids": [int],
    "untouched": [int],
}
_TITLED: Final = {"id": str, "title": _WORDS, "state": str, "detail": _WORDS, "facts": dict}
_DOOR: Final = {"door": str, "state": str, "at": (AT, None), "after_us": _SPAN, "detail": _WORDS}
_MARK: Final = {"mark": str, "at": (AT, None), "after_us": _SPAN, "state": str, "clock": str}
_SIGNED: Final = {
    "by": str,
    "role": str,
    "title": (_WORDS, None),
    "at": (AT, None),
    "clock": ("agent", "personnel"),
    "opinion": str,
    "key": (str, None),
}
_COMMON: Final[dict[str, Any]] = {
    "kind": "shoumi-revocation-receipt",
    "issued": AT,
    "host": str,
    "person": str,
    "case": str,
    "cause": str,
    "reference": str,
    "pack": str,
    "doors": [_DOOR],
    "steps": [_TITLED],
    "proof": (_PROOF, None),
    "cannot_see": [_WORDS],
    "key": str,
    "previous": (str, None),
    "open": [str],
    "complete": bool,
}
_FIRST: Final[dict[str, Any]] = {
    **_COMMON,
    "version": 1,
    "approvers": [dict],
    "timeline": [_MARK],
    "proof": ({**_PROOF, "scans": [_SCAN]}, None),
}
RECEIPT: Final[dict[str, Any]] = {
    **_COMMON,
    "version": 2,
    "approvers": [{"signed": _SIGNED, "written": ({"by": str, "at": (AT, None)}, None)}],
    "lost": [{"area": str}],
    "act": str,
    "seq": (int, None),
    "timeline": [
        {
            **_MARK,
            "source": str,
            "not_before": (AT, None),
            "not_after": (AT, None),
            "compared": (str, None),
            "seq": (int, None),
        }
    ],
    "own_entries": {"count": int, "first": (int, None), "last": (int, None)},
}
SHAPES: Final[dict[int, dict[str, Any]]] = {1: _FIRST, 2: RECEIPT}
"""By version. Version 1 was issued before the marks had an origin; it is checked for ever."""


def fits(node: Any, shape: Any) -> bool:
    """Whether *node* has *shape*; see the rules of this file."""
    match shape:
        case type():
            return type(node) is shape
        case _At():
            return isinstance(node, str) and _instant(node)
        case dict():
            return (
                type(node) is dict
                and node.keys() == shape.keys()
                and all(fits(node[key], inner) for key, inner in shape.items())
            )
        case [inner]:
            if isinstance(shape, list):
                return type(node) is list and all(fits(element, inner) for element in node)
            return fits(node, inner)
        case tuple():
            return any(fits(node, inner) for inner in shape)
        case _:
            return type(node) is type(shape) and bool(node == shape)


def _instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
