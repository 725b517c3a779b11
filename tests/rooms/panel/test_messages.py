"""The words on the wire and the written state: exact both ways, and refused where they do not fit."""

import json
from typing import get_args

import pytest

from agent.doors.codec import InvalidMessageError, decoder, encode
from agent.doors.messages import (
    Contact,
    Do,
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
    Said,
    Signal,
    Tamper,
)
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.state import (
    DoorPosition,
    Occupant,
    OpenAlarm,
    Passer,
    PendingRelease,
    PinCount,
    RoomState,
    decode_state,
    encode_state,
)
from rules.text import Message, Text
from tests.rooms.panel.kit import Room

TEXT = Message("common.labelled", label=Text("refused", "拒绝进入"), text=Message("rooms.access-denied"))
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


said, done = decoder(Said), decoder(Do)
# A state as the first version wrote it, with its own reader: what is on a disk is read by every later one.
STORED = """\
{"version":1,"occupants":[{"person":"E1","badge":"4660","door":"d1","since":1700000000.5},\
{"person":"来访 1","badge":"4661","door":"d1","since":1700000001.0,"sure":false,"escort":"E1"}],\
"passages":[{"id":"vault/7","door":"d1","side":"in","people":[{"person":"E2","badge":"9"},\
{"person":"N1","badge":"10","escort":"E2"}],"at":1700000002.0,"until":1700000007.0,"answered":true,"confirmed":false}],\
"alarms":[{"kind":"held","door":"d1","person":"","at":1700000003.25,"times":2},\
{"kind":"guessing","door":"","person":"E3","at":1700000004.0,"over":true}],\
"doors":[{"door":"d1","open":true,"since":1700000003.0,"free_until":1700000009.0,"tampered":["in"]},\
{"door":"d2","offline":["in","out"]}],"pins":[{"person":"E3","wrong":2,"until":1700000304.0},\
{"person":"E3","wrong":1,"until":1700000304.0,"badge":"12"}],"count":7,"latest":1700000005.125,"unseen":3}"""
THEN = 1_700_000_000.0


@pytest.mark.parametrize("word", HEARD, ids=lambda word: type(word).__name__)
def test_what_is_said_goes_over_the_wire_and_back(word: Said) -> None:
    assert said(encode(word)) == word
    assert encode(word).startswith(b'{"said":"')


@pytest.mark.parametrize("word", ORDERS, ids=lambda word: type(word).__name__)
def test_what_is_to_do_goes_over_the_wire_and_back(word: Do) -> None:
    assert done(encode(word)) == word
    assert encode(word).startswith(b'{"do":"')


def test_every_word_there_is_was_sent_here() -> None:
    assert {type(word) for word in HEARD} == set(get_args(Said))
    assert {type(word) for word in ORDERS} == set(get_args(Do))


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
        said(json.dumps(frame).encode())


def test_a_state_is_written_with_its_version_and_read_again() -> None:
    room = Room()
    room.enter("E1")
    written = json.loads(encode_state(room.state))
    assert (written["version"], "fleeting" in written) == (1, False)
    assert decode_state(encode_state(RoomState())) == RoomState()


def test_a_state_that_an_earlier_agent_stored_is_read_and_written_as_it_is() -> None:
    found = decode_state(STORED)
    assert found == RoomState(
        (
            Occupant("E1", "4660", "d1", THEN + 0.5),
            Occupant("来访 1", "4661", "d1", THEN + 1, sure=False, escort="E1"),
        ),
        (
            PendingRelease(
                "vault/7",
                "d1",
                "in",
                (Passer("E2", "9"), Passer("N1", "10", escort="E2")),
                THEN + 2,
                THEN + 7,
                answered=True,
                confirmed=False,
            ),
        ),
        (
            OpenAlarm(AlarmKind.HELD, "d1", "", THEN + 3.25, times=2),
            OpenAlarm(AlarmKind.GUESSING, "", "E3", THEN + 4, over=True),
        ),
        (
            DoorPosition("d1", True, THEN + 3, THEN + 9, tampered=("in",)),
            DoorPosition("d2", offline=("in", "out")),
        ),
        (PinCount("E3", 2, THEN + 304), PinCount("E3", 1, THEN + 304, badge="12")),
        7,
        THEN + 5.125,
        3,
    )
    assert encode_state(found) == STORED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":2}',
        '{"count":1}',
        '{"version":"1"}',
        '{"version":1.0}',
        '{"version":true}',
        '{"version":1,"fleeting":{}}',
        '{"version":1,"doors":[{"door":"d1","more":1}]}',
        '{"version":1,"latest":NaN}',
        '{"version":1,"latest":9007199254740992}',
        '{"version":1,"doors":[{"door":"d1","since":-9007199254740992}]}',
        '{"version":1,"latest":1e999}',
        '{"version":1,"occupants":[{"person":"' + "E" * 1001 + '","badge":"1","door":"d1","since":1}]}',
        '{"version":1,"more":1}',
        '{"version":1,"count":"1"}',
        '{"version":1,"alarms":[{"kind":"earthquake","door":"","person":"","at":1}]}',
        '{"version":1,"occupants":[{"person":"\ud800","badge":"1","door":"d1","since":1}]}',
    ],
)
def test_another_text_is_no_state(text: str) -> None:
    with pytest.raises(InvalidMessageError):
        decode_state(text)


@pytest.mark.parametrize("wrong", [{"strike_seconds": 0.0}, {"strike_seconds": 25.6}, {"held_seconds": -1.0}])
def test_a_door_that_no_reader_could_be_told_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="strike"):
        DoorConfig("d1", **wrong)
