"""Packets of UHPPOTE / 微耕 boards, as the simulated board reads and writes them.

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
MAGIC = 0x55AAAA55  # marks a request that must not be carried out by accident


class Fn(IntEnum):
    """The function of a packet."""

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
    """An event. ``kind``: 0 none, 1 swipe, 2 door, 3 alarm, 255 overwritten. ``direction``: 1 in."""

    index: int
    kind: int = 0
    granted: bool = False
    door: int = 0
    direction: int = 0
    card: int = 0
    at: datetime | None = None
    reason: int = 0


def request(frame: bytes) -> tuple[Fn, int] | None:
    """Return function and serial number of a request, ``None`` for an invalid packet."""
    if len(frame) != LENGTH or frame[0] != FIRST or frame[1] not in Fn.__members__.values():
        return None
    return Fn(frame[1]), number(frame, 4)


def answer(fn: Fn, serial: int, *fields: tuple[int, bytes]) -> bytearray:
    """Return a packet with *fields*, each an offset and the bytes that go there."""
    packet = bytearray(LENGTH)
    packet[0], packet[1] = FIRST, fn
    struct.pack_into("<I", packet, 4, serial)
    for offset, content in fields:
        packet[offset : offset + len(content)] = content
    return packet


def number(frame: bytes, offset: int) -> int:
    """Return the 32-bit number at *offset*."""
    return int(struct.unpack_from("<I", frame, offset)[0])


def uint32(integer: int) -> bytes:
    """Return *value* as a 32-bit number."""
    return struct.pack("<I", integer)


def day(calendar_day: date) -> bytes:
    """Return the four bytes of a date."""
    return bytes.fromhex(f"{calendar_day:%Y%m%d}")


def moment(instant: datetime | None) -> bytes:
    """Return the seven bytes of an instant; all zero for none."""
    return bytes.fromhex(f"{instant:%Y%m%d%H%M%S}") if instant else bytes(7)


def read_moment(frame: bytes, offset: int) -> datetime | None:
    """Return the instant at *offset*, ``None`` when there is none; without a zone, as a board's clock has none."""
    return _date(frame[offset : offset + 7], "%Y%m%d%H%M%S")


def read_card(frame: bytes) -> BoardCard | None:
    """Return the card of a put request, ``None`` when its dates are invalid."""
    start, end = _date(frame[12:16], "%Y%m%d"), _date(frame[16:20], "%Y%m%d")
    if start is None or end is None:
        return None
    rights = (frame[20], frame[21], frame[22], frame[23])
    return BoardCard(
        number(frame, 8), start.date(), end.date(), rights, int.from_bytes(frame[24:27], "little"), frame[27]
    )


def card_fields(card: BoardCard | None) -> tuple[tuple[int, bytes], ...]:
    """Return the fields of an answer about *card*; none, hence zeros, without a card."""
    if card is None:
        return ()
    rights = bytes(card.doors)
    pin = card.pin.to_bytes(3, "little") + bytes([card.first])
    return ((8, uint32(card.number)), (12, day(card.start)), (16, day(card.end)), (20, rights), (24, pin))


def event_fields(event: BoardEvent) -> tuple[tuple[int, bytes], ...]:
    """Return the fields of *event* in a status packet and in an answer to :data:`Fn.GET_EVENT`."""
    head = bytes([event.kind, event.granted, event.door, event.direction])
    return (
        (8, uint32(event.index)),
        (12, head),
        (16, uint32(event.card)),
        (20, moment(event.at)),
        (27, bytes([event.reason])),
    )


def clock_fields(now: datetime) -> tuple[tuple[int, bytes], ...]:
    """Return the fields of the board's clock in a status packet."""
    return ((37, bytes.fromhex(f"{now:%H%M%S}")), (51, bytes.fromhex(f"{now:%y%m%d}")))


def _date(bcd: bytes, form: str) -> datetime | None:
    try:
        return datetime.strptime(bcd.hex(), form)  # noqa: DTZ007 - a board's clock has no zone
    except ValueError:
        return None
