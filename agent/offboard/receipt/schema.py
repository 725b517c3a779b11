"""The shape of a receipt of version 1, as data: what a checker insists on before it believes or shows anything.

Rules of this file: pure. A dictionary here means exactly these members, a list any number of such items, a tuple one of
these; a type is that type and no other (``True`` is no number); ``AT`` is an instant with its offset.
"""

from datetime import datetime
from typing import Any, Final


class _At:
    """An RFC 3339 instant."""


AT: Final = _At()
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
"""A look that says what it did not see, and of what it found what started it; receipts made before do not."""
_ATTEMPT: Final = {"area": str, "what": ("list", "file"), "uid": int, "login": int, "answer": str, "error": str}
_PROOF: Final = {
    "scans": [(_SCAN, _SEEN)],
    "attempts": [_ATTEMPT],
    "unreached": [str],
    "areas": int,
    "uids": [int],
    "untouched": [int],
}
RECEIPT: Final[dict[str, Any]] = {
    "kind": "shoumi-revocation-receipt",
    "version": 1,
    "issued": AT,
    "host": str,
    "person": str,
    "case": str,
    "cause": str,
    "reference": str,
    "pack": str,
    "approvers": [dict],
    "timeline": [{"mark": str, "at": (AT, None), "after_us": _SPAN, "state": str, "clock": str}],
    "doors": [{"door": str, "state": str, "at": (AT, None), "after_us": _SPAN, "detail": _WORDS}],
    "steps": [{"id": str, "title": _WORDS, "state": str, "detail": _WORDS, "facts": dict}],
    "proof": (_PROOF, None),
    "cannot_see": [_WORDS],
    "key": str,
    "previous": (str, None),
    "open": [str],
    "complete": bool,
}


def fits(value: Any, shape: Any) -> bool:
    """Whether *value* has *shape*; see the rules of this file."""
    match shape:
        case type():
            return type(value) is shape
        case _At():
            return isinstance(value, str) and _instant(value)
        case dict():
            return (
                type(value) is dict
                and value.keys() == shape.keys()
                and all(fits(value[key], inner) for key, inner in shape.items())
            )
        case [inner]:
            if isinstance(shape, list):
                return type(value) is list and all(fits(item, inner) for item in value)
            return fits(value, inner)
        case tuple():
            return any(fits(value, inner) for inner in shape)
        case _:
            return type(value) is type(shape) and bool(value == shape)


def _instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
