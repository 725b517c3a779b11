"""Card bits into numbers: the inverse of the reader's own encoding, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.doors.osdp.decode import DecodedCard, UnreadableCardError, decode, encode, keys

numbers, facilities = st.integers(0, 2**16 - 1), st.integers(0, 255)


@given(numbers, facilities)
def test_twenty_six_bits_come_back_as_they_went(number: int, facility: int) -> None:
    data = encode(number, facility)
    assert decode(data, 26) == DecodedCard(number, 26, facility, data.hex())


@given(numbers, facilities, st.integers(0, 25))
def test_every_single_wrong_bit_of_twenty_six_is_noticed(number: int, facility: int, wrong: int) -> None:
    value = int.from_bytes(encode(number, facility), "big") ^ 1 << (wrong + 6)
    with pytest.raises(UnreadableCardError, match="parity"):
        decode(value.to_bytes(4, "big"), 26)


def test_a_card_written_down_by_hand_is_read() -> None:
    assert decode(bytes.fromhex("03891a40"), 26) == DecodedCard(4660, 26, 7, "03891a40")


@pytest.mark.parametrize("bits", [34, 37])
@given(data=st.data())
def test_other_lengths_are_all_their_bits(bits: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 2**bits - 1))
    card = decode(encode(number, None, bits), bits)
    assert (card.number, card.bits, card.facility) == (number, bits, None)


@given(st.binary(max_size=70), st.integers(-1, 600))
def test_any_bytes_are_a_card_or_unreadable(data: bytes, bits: int) -> None:
    try:
        card = decode(data, bits)
    except UnreadableCardError:
        return
    assert 0 <= card.number < 2**64
    assert encode(card.number, card.facility, card.bits) == data


@pytest.mark.parametrize(("data", "bits"), [(b"", 0), (b"\xff", 7), (b"\x00\x00", 8), (b"\x00" * 9, 65)])
def test_bits_that_do_not_match_their_number_are_unreadable(data: bytes, bits: int) -> None:
    with pytest.raises(UnreadableCardError):
        decode(data, bits)


def test_keys_are_digits_star_and_hash_whichever_way_they_are_sent() -> None:
    assert keys(b"12\x7f\x0d9*#") == "12*#9*#"
    assert keys(b"\x00\x1bA\xff") == ""
