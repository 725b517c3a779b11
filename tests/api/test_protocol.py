"""What comes over the socket is from a stranger: it is a request, or it is refused. Nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api import protocol
from agent.errors import UsageError

words = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)


@given(st.text(max_size=64), words, st.dictionaries(words, values, max_size=4))
def test_what_a_client_sends_is_what_the_server_reads(ident: str, op: str, args: dict[str, object]) -> None:
    assert protocol.parse(protocol.request(ident, op, args)) == protocol.Call(ident, op, args)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_usage(line: bytes) -> None:
    try:
        call = protocol.parse(line)
    except UsageError:
        return
    assert isinstance(call.op, str)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"op": 1}',
        b'{"op": "status", "args": []}',
        b'{"op": "status", "more": 1}',
        b'{"op": "status", "op": "grant.add"}',
        b'{"op": "status", "args": {"a": 1, "a": 2}}',
        b'{"op": "status", "args": {"a": NaN}}',
        b'{"op": "status", "id": "' + b"x" * 65 + b'"}',
        b"[" * 100_000,
        b'{"op": "' + b"x" * protocol.LIMIT + b'"}',
    ],
)
def test_garbage_is_usage(line: bytes) -> None:
    with pytest.raises(UsageError):
        protocol.parse(line)


def test_answers_are_one_line_of_ascii_whatever_they_hold() -> None:
    hostile = {"path": "a\nb\x1b[2J\u202e\udcff"}
    for line in (protocol.result("1", hostile), protocol.item("1", hostile)):
        assert line.isascii()
        assert line.count(b"\n") == 1
        assert hostile in json.loads(line).values()
