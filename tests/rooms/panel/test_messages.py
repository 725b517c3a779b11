"""The words on the wire and the written state: exact both ways, and refused where they do not fit."""

import json

import pytest

from agent.doors.codec import InvalidMessageError, dumps, loads
from agent.doors.messages import (
    DONE,
    SAID,
    Contact,
    Flush,
    KeyPress,
    Online,
    OwnDecision,
    Power,
    Read,
    Refuse,
    Release,
    Released,
    RequestToExit,
    Signal,
    Tamper,
    done,
    name_of,
    said,
)
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.state import RoomState, state_from_json, state_to_json
from rules.text import Text
from tests.rooms.panel.kit import Room

TEXT = Text("refused", "拒绝进入")
HEARD = [
    Read("d1", "in", 4660, 1.5, secure=True, bits=26, facility=3, raw="0x1", index=7),
    KeyPress("d1", "in", "12#", secure=True),
    Contact("d1", open=True),
    RequestToExit("d1"),
    Tamper("d1", "out", active=True),
    Power("d1", failed=False),
    Online("d1", "in", "osdp+tcp://127.0.0.1:4001/1", online=False, secure=False, why=TEXT),
    Released("vault/1", ok=False, why=TEXT),
    OwnDecision("d1", 4660, granted=True, reason=1),
]
ORDERS = [
    Release("vault/1", "d1", "in", 5.0),
    Refuse("d1", "in", TEXT),
    Signal("d1", "in", "amber", "once", TEXT),
    Flush("d1"),
]


@pytest.mark.parametrize("word", HEARD, ids=[name_of(word) for word in HEARD])
def test_what_is_said_goes_over_the_wire_and_back(word: object) -> None:
    assert said(loads(dumps(word, said=name_of(word)))) == word


@pytest.mark.parametrize("word", ORDERS, ids=[name_of(word) for word in ORDERS])
def test_what_is_to_do_goes_over_the_wire_and_back(word: object) -> None:
    assert done(loads(dumps(word, do=name_of(word)))) == word


def test_every_word_there_is_was_sent_here() -> None:
    assert {type(word) for word in HEARD} == set(SAID.values())
    assert {type(word) for word in ORDERS} == set(DONE.values())


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"said": "release", "id": "vault/1", "door": "d1", "side": "in", "seconds": 5},
        {"said": ["read"]},
        {"said": "contact", "door": "d1"},
        {"said": "contact", "door": "d1", "open": 1},
        {"said": "contact", "door": "d1", "open": True, "more": 1},
        {"said": "contact", "door": "", "open": True},
        {"said": "read", "door": "d1", "side": "up", "card": 1, "at": 1, "secure": True},
        {"said": "read", "door": "d1", "side": "in", "card": -1, "at": 1, "secure": True},
        {"said": "read", "door": "d1", "side": "in", "card": 2**64, "at": 1, "secure": True},
        {"said": "read", "door": "d1", "side": "in", "card": 1, "at": 1e30, "secure": True},
        {"said": "key", "door": "d1", "side": "in", "digits": "1" * 33, "secure": True},
    ],
)
def test_a_frame_that_does_not_fit_is_refused(frame: dict[str, object]) -> None:
    with pytest.raises(InvalidMessageError):
        said(frame)


def test_a_state_is_written_with_its_version_and_read_again() -> None:
    room = Room()
    room.enter("E1")
    written = json.loads(state_to_json(room.state))
    assert (written["version"], "fleeting" in written) == (1, False)
    assert state_from_json(state_to_json(RoomState())) == RoomState()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":2}',
        '{"version":1,"fleeting":{}}',
        '{"version":1,"more":1}',
        '{"version":1,"count":"1"}',
        '{"version":1,"alarms":[{"kind":"earthquake","door":"","person":"","at":1}]}',
        '{"version":1,"occupants":[{"person":"\ud800","badge":"1","door":"d1","since":1}]}',
    ],
)
def test_another_text_is_no_state(text: str) -> None:
    with pytest.raises(InvalidMessageError):
        state_from_json(text)


@pytest.mark.parametrize("wrong", [{"strike_seconds": 0.0}, {"strike_seconds": 25.6}, {"held_seconds": -1.0}])
def test_a_door_that_no_reader_could_be_told_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="strike"):
        DoorConfig("d1", **wrong)
