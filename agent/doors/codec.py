"""JSON into frozen data and back, by the types of the fields: what does not fit exactly is an error.

Rules of this file: pure. Two processes that do not trust each other speak through it, and msgspec reads: nothing is
converted, guessed or ignored, but for a whole number where a fraction is due. An unknown member, a missing one without
a default, ``true`` for a number, ``1.0`` for a whole one, ``NaN``, a number or a length out of its bounds, a lone
surrogate, all raise :class:`InvalidMessageError`. A member given twice counts as its last: who reads here is the only
one who does, so nobody understood it otherwise before. ``NaN`` is written as ``null``, which no number reads.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from rules.text import Text
from rules.visible import visible

LONGEST_SENTENCE: Final = 1000  # characters
MOST: Final = 2**64 - 1  # a card number has at most 64 bits, one more than msgspec can bound
_LONGEST_REASON = 300

encode: Final = msgspec.json.encode


class InvalidMessageError(ValueError):
    """A value has not the shape it must have. The message is for a log: English, what is foreign in it visible."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Data that is read strictly. Written, it begins with its tag where it has one; most defaults are left out."""


def decoder(kind: Any) -> Callable[[bytes | str], Any]:
    """Return what reads a *kind*, a :class:`Message` or several with tags; it raises :class:`InvalidMessageError`."""
    read = msgspec.json.Decoder(kind).decode

    def decode(data: bytes | str) -> Any:
        try:
            found = read(data)
        except (ValueError, RecursionError) as error:
            raise InvalidMessageError(visible(str(error))[:_LONGEST_REASON]) from None
        if any(map(_is_beyond, msgspec.structs.astuple(found))):
            raise InvalidMessageError(f"a sentence above {LONGEST_SENTENCE} characters, or a number above 64 bits")
        return found

    return decode


def _is_beyond(value: object) -> bool:
    """Whether a member exceeds what no :class:`msgspec.Meta` bounds: the two halves of a text, and 64 bits."""
    if isinstance(value, Text):
        return max(map(len, value)) > LONGEST_SENTENCE
    return isinstance(value, int) and value > MOST
