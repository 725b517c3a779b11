"""Broken input: samples that were cut, spliced, repeated and filled with what parsers stumble over."""

from collections.abc import Sequence

from hypothesis import strategies as st

LONGEST = 20_000

_PIECES = (
    b"", b"\x00", b"\xff", b"\n", b"\r\n", b" ", b",", b":", b".", b"=", b"%", b"\\", b'"',
    b"'", b"{", b"}", b"[", b"]",
    b"null", b"true", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1", b"0", b"1.0", b"99999999999999999999", b"0x1",
    b"4294967295", b"2147483648", b"18446744073709551616", b"9" * 5_000, b"{}", b"[]", b'""', b'{"a":' * 2_000,
    b"[" * 5_000, b"(" * 300, b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\x1b[2J", "\u79d8".encode(),
    b"\\ud800",
    b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59+23:59", b"2026-02-30", b"\\777", b"../../..", b"%s", b"\xc0\x80",
    b"A" * 300,
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """Draw one: bytes of no form at all now and then, else a sample with one to four things done to it."""
    if not samples or draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + draw(st.sampled_from((0, 1, 4, 40))))))
        match draw(st.sampled_from(("piece", "piece", "bytes", "bit", "cut", "twice", "splice"))):
            case "piece":
                data = data[:start] + draw(st.sampled_from(_PIECES)) + data[end:]
            case "bytes":
                data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
            case "bit" if start < len(data):
                data = data[:start] + bytes([data[start] ^ 1 << draw(st.integers(0, 7))]) + data[start + 1 :]
            case "cut":
                data = data[:start]
            case "twice":
                data = data[:end] + data[start:end] * draw(st.integers(1, 3)) + data[end:]
            case "splice":
                other = draw(st.sampled_from(samples))
                data = data[:start] + other[draw(st.integers(0, len(other))) :]
    return data[:LONGEST]
