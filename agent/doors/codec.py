"""Strict JSON codec: JSON to frozen structs and back, by the types of the fields; any mismatch is an error.

Rules of this file: pure. Two processes that do not trust each other use it, and msgspec parses: nothing is converted,
guessed or ignored, except an integer where a float is expected. An unknown member, a missing one without a default,
``true`` for a number, ``1.0`` for an integer, ``NaN``, a number or a length out of its bounds and a lone surrogate all
raise :class:`InvalidMessageError`. Of a duplicate member the last one counts: no other parser reads the text, so no two
readings can differ. ``NaN`` is written as ``null``, which no number field accepts.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from rules.text import Message, from_json
from rules.visible import visible

LONGEST_MESSAGE: Final = 2500  # bytes of JSON
MOST_MESSAGES: Final = 5  # one and those inside it; a sentence may show a parameter twice, and each level multiplies
MOST: Final = 2**64 - 1  # a card number has at most 64 bits, one more than msgspec can bound
_LONGEST_REASON = 300

encode: Final = msgspec.json.Encoder(enc_hook=Message.to_json).encode


class InvalidMessageError(ValueError):
    """Error for a value of the wrong shape. The message is for a log: English, with foreign text made visible."""


class WireStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of strictly parsed data. JSON of it begins with the tag, if any; most defaults are omitted."""


def decoder(kind: Any) -> Callable[[bytes | str], Any]:
    """Return a parser of *kind*, a :class:`WireStruct` or several with tags. It raises :class:`InvalidMessageError`."""
    read = msgspec.json.Decoder(kind, dec_hook=_message).decode

    def decode(text: bytes | str) -> Any:
        try:
            frame = read(text)
        except (ValueError, RecursionError) as error:
            raise InvalidMessageError(visible(str(error))[:_LONGEST_REASON]) from None
        if any(map(_is_beyond, msgspec.structs.astuple(frame))):
            bounds = f"{LONGEST_MESSAGE} bytes, {MOST_MESSAGES} messages in one or 64 bits"
            raise InvalidMessageError(f"a message or number above {bounds}")
        return frame

    return decode


def _message(kind: type, decoded: object) -> Message:
    if kind is not Message or not isinstance(message := from_json(decoded), Message) or message.to_json() != decoded:
        raise ValueError("not a message")
    return message


def _is_beyond(member: object) -> bool:
    """Return whether a member exceeds a bound :class:`msgspec.Meta` cannot state: size of a message, 64 bits."""
    if isinstance(member, Message):
        packet = encode(member)
        return len(packet) > LONGEST_MESSAGE or packet.count(b'"parameters":') > MOST_MESSAGES
    return isinstance(member, int) and member > MOST
