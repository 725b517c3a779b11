"""Which replies reach libosdp at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.doors.osdp.frames import (
    ACK,
    BUSY,
    CAP,
    CCRYPT,
    CHLNG,
    ID,
    KEYSET,
    NAK,
    OUT,
    PDCAP,
    PDID,
    POLL,
    RMAC_I,
    SCRYPT,
    Frame,
    fits,
    parse,
    take,
)
from tests.doors.osdp.kit import frame

RAW = 0x50
CARD = bytes([0, 1, 26, 0]) + bytes.fromhex("03891a40")
SECURED = Frame(5, False, 2, 0x15, POLL)


def reply(block: int, code: int, *, number: int = 5, sequence: int = 2) -> Frame:
    return Frame(number, True, sequence, block, code)


@pytest.mark.parametrize("block", [0x11, 0x12, 0x13, 0x14])
def test_a_card_without_a_mac_in_a_block_of_the_handshake_is_no_reply_to_a_secured_poll(block: int) -> None:
    forged = parse(frame(5, 2, bytes([3, block, 1]), RAW, CARD))
    assert forged == reply(block, RAW)
    assert not fits(SECURED, forged)


@pytest.mark.parametrize("asked", [Frame(5, False, 0, 0, ID), Frame(5, False, 1, 0, CAP), Frame(5, False, 1, 0, POLL)])
def test_a_card_in_clear_is_a_reply_to_nothing(asked: Frame) -> None:
    assert not fits(asked, reply(0, RAW, sequence=asked.sequence))
    assert not fits(SECURED, reply(0, RAW))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (Frame(5, False, 0, 0, ID), reply(0, PDID, sequence=0)),
        (Frame(5, False, 1, 0, CAP), reply(0, PDCAP, sequence=1)),
        (Frame(5, False, 2, 0x11, CHLNG), reply(0x12, CCRYPT)),
        (Frame(5, False, 2, 0x13, SCRYPT), reply(0x14, RMAC_I)),
        (SECURED, reply(0x16, ACK)),
        (SECURED, reply(0x18, RAW)),
        (SECURED, reply(0, NAK, sequence=0)),
        (SECURED, reply(0, BUSY, sequence=0)),
        (Frame(5, False, 2, 0x17, KEYSET), reply(0, ACK)),
    ],
)
def test_what_the_standard_lets_a_reader_say_fits(asked: Frame, answer: Frame) -> None:
    assert fits(asked, answer)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (SECURED, reply(0x18, RAW, number=6)),
        (SECURED, reply(0x18, RAW, sequence=3)),
        (SECURED, SECURED._replace(block=0x16)),
        (SECURED, reply(0, ACK)),
        (Frame(5, False, 2, 0x17, OUT), reply(0, ACK)),
        (Frame(5, False, 2, 0x11, CHLNG), reply(0x14, RMAC_I)),
        (Frame(5, False, 2, 0x11, CHLNG), reply(0x12, RAW)),
        (Frame(5, False, 2, 0x13, SCRYPT), reply(0x12, CCRYPT)),
        (Frame(5, False, 0, 0, ID), reply(0x18, PDID, sequence=0)),
        (Frame(5, False, 0, 0, ID), reply(0, PDCAP, sequence=0)),
    ],
)
def test_what_is_no_reply_to_the_command_does_not_fit(asked: Frame, answer: Frame) -> None:
    assert not fits(asked, answer)


@given(st.lists(st.binary(max_size=30)))
def test_whole_frames_are_found_between_any_noise_that_holds_no_start(noise: list[bytes]) -> None:
    wanted = frame(1, 1, b"", ACK)
    buffer = bytearray(b"".join(one.replace(b"\x53", b"") + b"\xff" + wanted for one in noise))
    for _ in noise:
        assert take(buffer) == wanted
    assert take(buffer) is None


@given(st.binary(max_size=600))
def test_any_bytes_are_frames_or_are_dropped(noise: bytes) -> None:
    buffer = bytearray(noise)
    while (found := take(buffer)) is not None:
        parse(found)
    assert len(buffer) <= 255


@given(st.binary(min_size=1, max_size=40), st.integers(0, 7), st.data())
def test_a_damaged_frame_is_not_taken(data: bytes, bit: int, chosen: st.DataObject) -> None:
    whole = frame(1, 1, b"", 0x50, data)
    at = chosen.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    assert take(damaged) != whole


def test_a_frame_with_a_checksum_is_taken_as_well() -> None:
    body = bytes([0x53, 0x85, 7, 0, 1, ACK])
    whole = body + bytes([-sum(body) & 0xFF])
    assert take(bytearray(whole)) == whole


@pytest.mark.parametrize(
    "block",
    [bytes([2, 0x14]), bytes([3, 0x18, 1]), bytes([200, 0x16]), bytes([0, 0x16]), bytes([2, 0x10]), bytes([2, 0x19])],
)
def test_a_security_block_of_a_wrong_length_or_kind_never_reaches_libosdp(block: bytes) -> None:
    assert parse(frame(5, 2, block, RAW, CARD)) is None


@pytest.mark.parametrize("size", [0, 1, 15, 17])
def test_secured_data_comes_in_whole_blocks(size: int) -> None:
    assert parse(frame(5, 2, bytes([2, 0x18]), RAW, bytes(size + 4))) is None
    assert parse(frame(5, 2, bytes([2, 0x18]), RAW, bytes(16 + 4))) == reply(0x18, RAW)
