"""OSDP frames on the wire, and the reply allowed after each command (IEC 60839-11-5 sections 5 and 6, annex D).

Rules of this file: pure. It exists because libosdp 3.2.9 accepts too much, as was measured:
- inside an active Secure Channel it accepts a reply *without* a MAC whose block type is one of the handshake's (0x11 to
  0x14): an attacker on the wire could have presented any card;
- a card read in clear, sent while the channel is being set up, is delivered once the channel is up;
- one damaged reply takes a reader offline for 300 seconds.
So a reply reaches libosdp only when it is whole and matches the command that was sent last; everything else is dropped
here, and to libosdp it is as if the reader had not answered yet.
"""

from binascii import crc_hqx
from typing import Final, NamedTuple

SOM: Final = 0x53
LONGEST: Final = 255  # bytes; libosdp has 256 for a frame and its mark
REPLY: Final = 0x80  # in the address
NOBODY: Final = 0x7F

POLL, ID, CAP, OUT, KEYSET, CHLNG, SCRYPT = 0x60, 0x61, 0x62, 0x68, 0x75, 0x76, 0x77
ACK, NAK, PDID, PDCAP, CCRYPT, RMAC_I, BUSY = 0x40, 0x41, 0x45, 0x46, 0x76, 0x78, 0x79

_SEQUENCE, _CRC, _BLOCK = 0x03, 0x04, 0x08  # in the control byte
_HANDSHAKE = {0x11: (0x12, CCRYPT), 0x13: (0x14, RMAC_I)}  # block of the command → block and code of its reply
_SECURED = {0x15: (0x16, 0x18), 0x17: (0x16, 0x18)}
_CLEAR = {ID: PDID, CAP: PDCAP}  # the commands that go in clear, before there is a key


class Frame(NamedTuple):
    """The fields of a frame that are readable without a key. ``block`` is 0 where there is no security block."""

    number: int
    reply: bool
    sequence: int
    block: int
    code: int


def take(buffer: bytearray) -> bytes | None:
    """Remove and return the first whole frame of *buffer*, dropping what precedes it; ``None``: none yet."""
    while (start := buffer.find(SOM)) >= 0:
        del buffer[:start]
        if len(buffer) < 5:
            return None
        length = buffer[2] | buffer[3] << 8
        if 7 <= length <= LONGEST:
            if len(buffer) < length:
                return None
            if _undamaged(frame := bytes(buffer[:length])):
                del buffer[:length]
                return frame
        del buffer[:1]  # not the start of a frame: search the next one
    buffer.clear()
    return None


def parse(frame: bytes) -> Frame | None:
    """Parse a frame from :func:`take` or from libosdp. ``None`` when its parts are inconsistent."""
    control = frame[4]
    end = len(frame) - (2 if control & _CRC else 1)
    block = at = 0
    if control & _BLOCK:
        size, block = frame[5], frame[6]
        # libosdp uses this length unchecked: 3 for the four of a handshake, 2 for secured blocks.
        if size != (3 if 0x11 <= block <= 0x14 else 2) or not 0x11 <= block <= 0x18:
            return None
        at = size
        if block >= 0x15:
            end -= 4  # the MAC
    payload = end - (5 + at) - 1
    if payload < 0 or (block in (0x17, 0x18) and (payload == 0 or payload % 16)):  # AES blocks, at least one
        return None
    return Frame(frame[1] & 0x7F, bool(frame[1] & REPLY), control & _SEQUENCE, block, frame[5 + at])


def fits(command: Frame, reply: Frame) -> bool:
    """Return whether *reply* may answer *command*. Whether it is genuine is decided by libosdp and the MAC."""
    if not reply.reply or reply.number != command.number:
        return False
    if reply.block == 0 and reply.code in (NAK, BUSY):
        return True  # sent in clear by a reader that lost the channel or is busy; forged, it can only disturb
    if reply.sequence != command.sequence:
        return False
    if command.block in _HANDSHAKE:
        return (reply.block, reply.code) == _HANDSHAKE[command.block]
    if command.block in _SECURED:
        # Some readers drop the channel at once when they accept a new key. Forging this gains nothing: a key counts
        # only when the reader has come back with it.
        return reply.block in _SECURED[command.block] or (command.code == KEYSET and reply[3:] == (0, ACK))
    return reply.block == 0 and reply.code == _CLEAR.get(command.code, ACK)


def _undamaged(frame: bytes) -> bool:
    if frame[4] & _CRC:
        return crc_hqx(frame[:-2], 0x1D0F) == frame[-2] | frame[-1] << 8
    return sum(frame) & 0xFF == 0
