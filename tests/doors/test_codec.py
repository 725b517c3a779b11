"""Strict frames: whatever bytes come, a shape within its bounds or an error, and no member without a bound."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from agent.doors import codec
from agent.doors.frames import CardStates, Configure, DoorSetup, FromDoors, ReaderSetup, StrikeSetup, ToDoors
from agent.doors.messages import Online, Read
from agent.simulator.__main__ import SimulatorCommand
from agent.simulator.site import Description
from rules.text import Message, Text

FRAMES = (codec.decoder(FromDoors), codec.decoder(ToDoors))
VALID = [
    codec.encode(frame)
    for frame in (
        Read("d", "in", 4660, 1.5, secure=True, bits=26, facility=7, raw="00ff"),
        Online("d", "out", "a", False, False, Message("doors.line-failed", error="断")),
        CardStates("c", 1, (1, 2), (3,), Message("doors.about-board", serial=1, report=Text("a", "b"))),
        Configure((DoorSetup("d", (ReaderSetup("in", "a"),), StrikeSetup("a")),), {"a": ("0" * 32,)}, seen={"1": 2}),
    )
]
BITS = [b"", b"9", b"-", b"1e9", b'"', b"[", b"{", b"\\ud800", b"\xff", b"NaN", b"null"]
PLAIN = (inspect.StructType, inspect.UnionType, inspect.BoolType, inspect.LiteralType, inspect.NoneType)


def spoilt(frame: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for at, what in changes:
        frame = frame[: at % len(frame)] + what + frame[at % len(frame) + 1 :]
    return frame


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=5), st.integers() | st.text()).map(lambda table: json.dumps(table).encode())
    | st.builds(spoilt, st.sampled_from(VALID), st.lists(st.tuples(st.integers(0, 400), st.sampled_from(BITS))))
)
def test_no_bytes_make_anything_but_a_frame_or_an_error(data: bytes) -> None:
    for decode in FRAMES:
        with contextlib.suppress(codec.InvalidMessageError):
            frame = decode(data)
            assert decode(codec.encode(frame)) == frame


def test_every_text_list_and_number_has_a_bound_and_no_object_takes_more_than_it_names() -> None:
    beyond_types = {
        "Read.card",
        "OwnDecision.card",
        "SimulatorCommand.card",
    }  # 64 bits, and messages: tried at the link
    compared_with_known_words = {"SimulatorCommand.do"}
    seen = set()
    for path, kind in shapes():
        match kind:
            case inspect.IntType() | inspect.FloatType():
                bounded = kind.ge is not None and (kind.le is not None or path in beyond_types)
            case inspect.StrType() | inspect.VarTupleType() | inspect.DictType():
                bounded = kind.max_length is not None or path in compared_with_known_words
            case inspect.CustomType():
                bounded = kind.cls is Message
            case _:
                bounded = isinstance(kind, PLAIN)
        assert bounded, path
        seen.add(path)
    assert {"Configure.doors[].readers[].address", "Configure.keys.key", "Cards.put[].card"} <= seen


def shapes() -> Iterator[tuple[str, Any]]:
    """Every value that a frame, or what a simulator is told, can hold, with the path to it."""
    for kind in (*get_args(FromDoors), *get_args(ToDoors), Description, SimulatorCommand):
        yield from within(kind.__name__, inspect.type_info(kind))


def within(path: str, kind: Any) -> Iterator[tuple[str, Any]]:
    yield path, kind
    match kind:
        case inspect.StructType():
            assert kind.forbid_unknown_fields, path
            for field in kind.fields:
                yield from within(f"{path}.{field.name}", field.type)
        case inspect.UnionType():
            for one in kind.types:
                yield from within(path, one)
        case inspect.VarTupleType():
            yield from within(path + "[]", kind.item_type)
        case inspect.DictType():
            yield from within(path + ".key", kind.key_type)
            yield from within(path + "[]", kind.value_type)
