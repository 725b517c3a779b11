"""Decoder of card data (osdp_RAW) into a card number.

Rules of this file: pure. The bits are left-justified in the bytes. Twenty-six bits have one meaning everywhere: an
even parity bit over the first twelve, eight of facility, sixteen of number, an odd parity bit over the last twelve;
both must be right. Other lengths have several (37 bits are H10302 or H10304, 34 depend on the maker), so their number
is all the bits. A badge is registered by its number; for 26 bits the facility belongs to it.
"""

from dataclasses import dataclass
from typing import Final

MOST_BITS: Final = 64


class UnreadableCardError(ValueError):
    """Error for bits that are no card. The message is for a log, and names no card."""


@dataclass(frozen=True, slots=True)
class DecodedCard:
    """A card as read. ``facility`` is known for 26 bits only; ``raw``: the bytes as they came, in hex."""

    number: int
    bits: int
    facility: int | None
    raw: str


def decode(octets: bytes, bits: int) -> DecodedCard:
    """Return the card of *bits* bits in *octets*.

    Raises :class:`UnreadableCardError`: too many or too few bits, a bit set beyond them, or a wrong parity.
    """
    if not 0 < bits <= MOST_BITS or len(octets) != (bits + 7) // 8:
        raise UnreadableCardError(f"{bits} bits in {len(octets)} bytes")
    spare = len(octets) * 8 - bits
    number = int.from_bytes(octets, "big")
    if number & ((1 << spare) - 1):
        raise UnreadableCardError(f"more than the {bits} bits it says")
    number >>= spare
    if bits != 26:
        return DecodedCard(number, bits, None, octets.hex())
    if (number >> 13).bit_count() % 2 != 0 or (number & 0x1FFF).bit_count() % 2 != 1:
        raise UnreadableCardError("wrong parity")
    return DecodedCard(number >> 1 & 0xFFFF, bits, number >> 17 & 0xFF, octets.hex())


def encode(number: int, facility: int | None = None, bits: int = 26) -> bytes:
    """Return the bytes a reader sends for a card: the inverse of :func:`decode`."""
    word_bits = number
    if bits == 26:
        word_bits = (facility or 0) << 17 | number << 1
        word_bits |= ((word_bits >> 13).bit_count() % 2) << 25
        word_bits |= (word_bits & 0x1FFF).bit_count() % 2 ^ 1
    assert 0 <= word_bits < 1 << bits
    spare = -bits % 8
    return (word_bits << spare).to_bytes((bits + 7) // 8, "big")


def keys(octets: bytes) -> str:
    """Return pressed keys as text: digits, ``*`` (sent as DEL) and ``#`` (sent as CR); others are dropped."""
    table = {0x7F: "*", 0x0D: "#"} | {ord(key): key for key in "0123456789*#"}
    return "".join(table.get(byte, "") for byte in octets)
