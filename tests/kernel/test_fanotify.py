"""The event parser: whatever bytes come, it ends, it yields only whole events, and it never guesses."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import FatalError
from agent.kernel import fanotify

METADATA = struct.Struct("=IBBHQii")


def event(mask: int = fanotify.FAN_OPEN_PERM, fd: int = 7, tid: int = 42, more: bytes = b"") -> bytes:
    return METADATA.pack(METADATA.size + len(more), fanotify.VERSION, 0, METADATA.size, mask, fd, tid) + more


def parsed(buffer: bytes) -> list[fanotify.Event]:
    return fanotify.events(buffer)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(-40, 2**31 - 1), st.integers(0, 2**22))))
def test_every_event_of_a_read_is_yielded_in_order(wanted: list[tuple[int, int, int]]) -> None:
    buffer = b"".join(event(*one) for one in wanted)
    assert parsed(buffer) == [(fd, tid) for _, fd, tid in wanted]


@given(st.binary(max_size=200).filter(lambda more: len(more) % 4 == 0))
def test_information_records_are_stepped_over(more: bytes) -> None:
    assert parsed(event(fd=3, more=more) + event(fd=4)) == [
        (3, 42),
        (4, 42),
    ]


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_events_or_fatal(buffer: bytes) -> None:
    try:
        found = parsed(buffer)
    except FatalError:
        return
    assert len(found) * METADATA.size <= len(buffer)


@given(st.integers(1, METADATA.size - 1))
def test_a_torn_event_is_fatal(length: int) -> None:
    with pytest.raises(FatalError):
        parsed(event() + event()[:length])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("length of zero would never end", (0, 3, 24)),
        ("length beyond the buffer", (25, 3, 24)),
        ("a version not known", (24, 4, 24)),
        ("metadata of another length", (24, 3, 32)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layout_not_known_is_fatal(field: str, value: tuple[int, int, int]) -> None:
    length, version, metadata = value
    with pytest.raises(FatalError):
        parsed(METADATA.pack(length, version, 0, metadata, 0, 3, 4))
