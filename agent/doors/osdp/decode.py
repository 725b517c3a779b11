"""Card data as a reader sends it (osdp_RAW) into a number.

Rules of this file: pure. The bits are left-justified in the bytes. Twenty-six bits have one meaning everywhere: an
even parity bit over the first twelve, eight of facility, sixteen of number, an odd parity bit over the last twelve;
both must be right. Other lengths have several (37 bits are H10302 or H10304, 34 are what the maker says), so their
number is all the bits, as they are. A number is what a badge is registered by; of 26 bits the facility belongs to it.
"""

from dataclasses import dataclass
from typing import Final

MOST_BITS: Final = 64


class UnreadableCardError(ValueError):
    """These are not the bits of a card. The message is for a log, and names no card."""


@dataclass(frozen=True, slots=True)
class DecodedCard:
    """A card as read. ``facility`` is known for 26 bits only; ``raw``: the bytes as they came, in hex."""

    number: int
    bits: int
    facility: int | None
    raw: str


def decode(data: bytes, bits: int) -> DecodedCard:
    """Read *bits* bits of *data*.

    Raises :class:`UnreadableCardError`: too many, too few, a bit beyond, or a wrong parity.
    """
    if not 0 < bits <= MOST_BITS or len(data) != (bits + 7) // 8:
        raise UnreadableCardError(f"{bits} bits in {len(data)} bytes")
    spare = len(data) * 8 - bits
    value = int.from_bytes(data, "big")
    if value & ((1 << spare) - 1):
        raise UnreadableCardError(f"more than the {bits} bits it says")
    value >>= spare
    if bits != 26:
        return DecodedCard(value, bits, None, data.hex())
    if (value >> 13).bit_count() % 2 != 0 or (value & 0x1FFF).bit_count() % 2 != 1:
        raise UnreadableCardError("wrong parity")
    return DecodedCard(value >> 1 & 0xFFFF, bits, value >> 17 & 0xFF, data.hex())


def encode(number: int, facility: int | None = None, bits: int = 26) -> bytes:
    """Return the bytes a reader sends for a card: the inverse of :func:`decode`."""
    value = number
    if bits == 26:
        value = (facility or 0) << 17 | number << 1
        value |= ((value >> 13).bit_count() % 2) << 25
        value |= (value & 0x1FFF).bit_count() % 2 ^ 1
    assert 0 <= value < 1 << bits
    spare = -bits % 8
    return (value << spare).to_bytes((bits + 7) // 8, "big")


def keys(data: bytes) -> str:
    """Return pressed keys as words: digits, ``*`` (sent as DEL) and ``#`` (sent as CR); others are dropped."""
    table = {0x7F: "*", 0x0D: "#"} | {ord(key): key for key in "0123456789*#"}
    return "".join(table.get(byte, "") for byte in data)
