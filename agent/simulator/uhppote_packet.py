"""The packets of UHPPOTE / 微耕 boards, from the board's side of the wire: what the simulated board reads and writes.

    17 FN 00 00  SERIAL(4)  …   64 bytes, numbers little-endian, dates and times binary-coded decimal

Rules of this file: pure bytes in, values out. It shares nothing with the library the agent uses on the other side of
the wire, so that the two check each other.
"""

import struct
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

LENGTH = 64
FIRST = 0x17
MAGIC = 0x55AAAA55  # what a request carries that must not happen by accident


class Fn(IntEnum):
    """What a packet asks for."""

    STATUS = 0x20
    SET_TIME = 0x30
    GET_TIME = 0x32
    OPEN_DOOR = 0x40
    PUT_CARD = 0x50
    DELETE_CARD = 0x52
    DELETE_ALL = 0x54
    COUNT_CARDS = 0x58
    GET_CARD = 0x5A
    GET_CARD_AT = 0x5C
    SET_DOOR = 0x80
    GET_DOOR = 0x82
    SPECIAL_EVENTS = 0x8E
    SET_LISTENER = 0x90
    GET_LISTENER = 0x92
    PC_CONTROL = 0xA0
    GET_EVENT = 0xB0


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A card in a board's own list. ``doors``: for each, 0 no right, 1 always, 2 to 254 a time profile."""

    number: int
    start: date
    end: date
    doors: tuple[int, int, int, int]
    pin: int = 0
    first: int = 0


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """Something that happened. ``kind``: 0 none, 1 swipe, 2 door, 3 alarm, 255 overwritten. ``direction``: 1 in."""

    index: int
    kind: int = 0
    granted: bool = False
    door: int = 0
    direction: int = 0
    card: int = 0
    at: datetime | None = None
    reason: int = 0


def request(data: bytes) -> tuple[Fn, int] | None:
    """Return function and serial number of a request, ``None`` when it is none."""
    if len(data) != LENGTH or data[0] != FIRST or data[1] not in Fn.__members__.values():
        return None
    return Fn(data[1]), number(data, 4)


def answer(fn: Fn, serial: int, *fields: tuple[int, bytes]) -> bytearray:
    """Return a packet with *fields*, each an offset and the bytes that go there."""
    packet = bytearray(LENGTH)
    packet[0], packet[1] = FIRST, fn
    struct.pack_into("<I", packet, 4, serial)
    for offset, content in fields:
        packet[offset : offset + len(content)] = content
    return packet


def number(data: bytes, offset: int) -> int:
    """Return the 32-bit number at *offset*."""
    return int(struct.unpack_from("<I", data, offset)[0])


def word(value: int) -> bytes:
    """Return *value* as a 32-bit number."""
    return struct.pack("<I", value)


def day(value: date) -> bytes:
    """Return the four bytes of a date."""
    return bytes.fromhex(f"{value:%Y%m%d}")


def moment(value: datetime | None) -> bytes:
    """Return the seven bytes of an instant; all zero for none."""
    return bytes.fromhex(f"{value:%Y%m%d%H%M%S}") if value else bytes(7)


def read_moment(data: bytes, offset: int) -> datetime | None:
    """Return the instant at *offset*, ``None`` when there is none; without a zone, as a board's clock has none."""
    return _date(data[offset : offset + 7], "%Y%m%d%H%M%S")


def read_card(data: bytes) -> BoardCard | None:
    """Return the card of a put request, ``None`` when its dates are none."""
    start, end = _date(data[12:16], "%Y%m%d"), _date(data[16:20], "%Y%m%d")
    if start is None or end is None:
        return None
    rights = (data[20], data[21], data[22], data[23])
    return BoardCard(number(data, 8), start.date(), end.date(), rights, int.from_bytes(data[24:27], "little"), data[27])


def card_fields(card: BoardCard | None) -> tuple[tuple[int, bytes], ...]:
    """Return what an answer says about *card*: nothing but zeros when there is none."""
    if card is None:
        return ()
    rights = bytes(card.doors)
    pin = card.pin.to_bytes(3, "little") + bytes([card.first])
    return ((8, word(card.number)), (12, day(card.start)), (16, day(card.end)), (20, rights), (24, pin))


def event_fields(event: BoardEvent) -> tuple[tuple[int, bytes], ...]:
    """Return what a status packet and an answer to :data:`Fn.GET_EVENT` say about *event*."""
    head = bytes([event.kind, event.granted, event.door, event.direction])
    return (
        (8, word(event.index)),
        (12, head),
        (16, word(event.card)),
        (20, moment(event.at)),
        (27, bytes([event.reason])),
    )


def clock_fields(now: datetime) -> tuple[tuple[int, bytes], ...]:
    """Return the board's clock as a status packet has it."""
    return ((37, bytes.fromhex(f"{now:%H%M%S}")), (51, bytes.fromhex(f"{now:%y%m%d}")))


def _date(bcd: bytes, form: str) -> datetime | None:
    try:
        return datetime.strptime(bcd.hex(), form)  # noqa: DTZ007 - a board's clock has no zone
    except ValueError:
        return None
