"""Between control and the doors process: nothing but frames, within their bounds, whoever sends."""

import socket
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from agent.doors import link
from agent.doors.address import LONGEST, OsdpSerial, OsdpTcp, Uhppote, parse
from agent.doors.frames import (
    BoardBadge,
    Cards,
    CardStates,
    Configure,
    DoorSetup,
    FromDoors,
    Lost,
    Pong,
    ReaderSetup,
    StrikeSetup,
    ToDoors,
    Trouble,
)
from agent.doors.layout import layout
from agent.doors.link import LinkClosedError, LinkCorruptError, LinkFullError
from agent.doors.messages import Online, Read, Release, Released
from agent.doors.outbox import Outbox
from agent.errors import UsageError
from rules.text import Message, Text
from rules.visible import is_visible
from tests.sentences import en, zh

READ = Read("d", "in", 4660, 1.5, secure=True, bits=26, facility=7, raw="00ff")
OTHERS = [
    Online("d", "out", "a", False, False, Message("doors.line-failed", error="cut\x1b断")),
    Released("r", ok=True),
    CardStates("c", 1, tuple(range(1, 501)), (7,), Message("doors.about-board", serial=1, report=Text("a", "b"))),
]


@pytest.fixture
def ends() -> Iterator[tuple[Any, Any, socket.socket]]:
    ours, theirs = link.pair()
    raw = theirs.dup()
    control, doors = link.control_end(ours), link.doors_end(theirs)
    yield control, doors, raw
    raw.close()
    control.close()
    doors.close()


@pytest.mark.parametrize("frame", [READ, *OTHERS])
def test_what_is_said_is_what_is_heard(ends: Any, frame: FromDoors) -> None:
    control, doors, _ = ends
    doors.send(frame)
    assert control.receive() == frame
    assert control.receive() is None


def test_a_large_site_fits_into_one_configuration(ends: Any) -> None:
    control, doors, _ = ends
    at = "osdp+tcp://10.100.100.100:40001/"
    readers = (ReaderSetup("in", at + "1"), ReaderSetup("out", at + "2"))
    asked = Configure(
        tuple(DoorSetup(f"door {n}", readers, StrikeSetup(at + "1")) for n in range(500)), {at: ("0" * 32,)}
    )
    control.send(asked)
    assert doors.receive() == asked
    cards = Cards("x", tuple(BoardBadge(2**32 - 2 - n, "2026-12-31") for n in range(500)), tuple(range(1, 501)))
    control.send(cards)
    assert doors.receive() == cards


@pytest.mark.parametrize(
    "data",
    [
        b"\xff", b"[]", b"null", b"{", b'{"said":"pong"}', b'{"said":"release","id":"a","ok":true}',
        b'{"said":"pong","said":"heard","id":"b"}', b'{"said":"pong","id":"a","more":1}', b'{"said":["pong"],"id":"a"}',
        b'{"id":"a"}', b'{"said":"pong","id":"a"}{}', b'\xef\xbb\xbf{"said":"pong","id":"a"}',
        b'{"said":"pong","id":1}', b'{"said":"pong","id":""}', b'{"said":"pong","id":"' + b"a" * 161 + b'"}',
        b'{"said":"pong","id":"\\ud800"}', b'{"said":"heard","board":1,"index":true}',
        b'{"said":"heard","board":1,"index":1.0}', b'{"said":"heard","board":0,"index":1}',
        b'{"said":"heard","board":4294967296,"index":1}',
        b'{"said":"read","door":"d","side":"up","card":1,"at":1,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":NaN,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":1e999,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":-Infinity,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":' + b"9" * 400 + b',"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":true,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":1,"at":null,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":18446744073709551616,"at":1,"secure":true}',
        b'{"said":"read","door":"d","side":"in","card":' + b"9" * 4000 + b',"at":1,"secure":true}',
        b'{"said":"own-decision","door":"d","card":18446744073709551616,"granted":true,"reason":1}',
        b'{"said":"trouble","text":["a"]}', b'{"said":"trouble","text":["a","b"]}',
        b'{"said":"trouble","text":"ab"}', b'{"said":"trouble","text":{"en":"a","zh":"b"}}',
        b'{"said":"trouble","text":{"code":"a.b"}}', b'{"said":"trouble","text":{"parameters":{}}}',
        b'{"said":"trouble","text":{"code":1,"parameters":{}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":[]}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{},"more":1}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{},"en":"a","zh":"b"}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":null}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":true}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":{"d":1}}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":{"en":"d"}}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":{"en":"d","zh":"e","f":"g"}}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":1e999}}}',
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":' + b"9" * 5000 + b"}}}",
        b'{"said":"trouble","text":{"code":"a.b","parameters":{"c":"' + b"a" * 2500 + b'"}}}',
        b'{"said":"trouble","text":{"code":"' + b"a" * 2500 + b'","parameters":{}}}',
        b'{"said":"trouble","text":' + b'{"code":"a.b","parameters":{"c":' * 6 + b"1" + b"}}" * 6 + b"}",
        b'{"said":"trouble","text":' + b'{"code":"a.b","parameters":{"c":' * 900 + b"1" + b"}}" * 900 + b"}",
        b'{"said":"released","id":"r","ok":false,"why":{"code":"a.b","parameters":{"c":"' + b"a" * 2500 + b'"}}}',
        b'{"said":"cards","id":"a","board":1,"confirmed":[' + b"1," * 1000 + b"1]}",
        b'{"said":"pong","id":' + b"[" * 5000 + b"]" * 5000 + b"}", b"x" * 70_000,
        b'{"more":' + b"[" * 30_000 + b"]" * 30_000 + b',"said":"pong","id":"a"}',
        b'{"said":"pong","id":"a"}' + b" " * 70_000,
    ],
)  # fmt: skip
def test_what_is_no_frame_is_corrupt(ends: Any, data: bytes) -> None:
    control, _, raw = ends
    raw.send(data)
    with pytest.raises(LinkCorruptError):
        control.receive()


@pytest.mark.parametrize(
    "data",
    [
        b'{"do":"configure","doors":[],"keys":{"a":[]}}', b'{"do":"configure","doors":[],"keys":{"":["KEY"]}}',
        b'{"do":"configure","doors":[],"keys":{"a":["0"]}}',
        b'{"do":"configure","doors":[],"keys":{"a":["KEY","KEY","KEY"]}}',
        b'{"do":"configure","doors":[],"seen":{"12345678901":1}}', b'{"do":"configure","doors":[],"seen":{"1":-1}}',
        b'{"do":"configure","doors":[{"door":"d","readers":[],"strike":{"address":"a"}}]}',
        b'{"do":"configure","doors":[{"door":"d","readers":[{"side":"in","address":"a"}],"strike":{"address":"a","x":1}}]}',
        b'{"do":"configure","doors":[],"offset":86401}', b'{"do":"configure","doors":[],"offset":-86401}',
        b'{"do":"release","id":"r","door":"d","side":"in","seconds":-0.1}', b'{"do":"ping","id":"a","said":"pong"}',
        b'{"do":"release","id":"r","door":"d","side":"in","seconds":3600.1}',
        b'{"do":"cards","id":"a","put":[{"card":4294967295,"until":"2026-12-31"}]}',
    ],
)  # fmt: skip
def test_the_doors_process_is_as_strict(data: bytes) -> None:
    ours, theirs = link.pair()
    ours.send(data.replace(b"KEY", b"0" * 32))
    doors = link.doors_end(theirs)
    with pytest.raises(LinkCorruptError):
        doors.receive()
    doors.close()
    ours.close()


def test_a_member_given_twice_counts_as_its_last_within_its_bounds(ends: Any) -> None:
    control, _, raw = ends
    raw.send(b'{"said":"pong","id":"a","id":"b"}')
    assert control.receive() == Pong("b")
    raw.send(b'{"said":"pong","id":"a","id":""}')
    with pytest.raises(LinkCorruptError):
        control.receive()


def test_why_something_is_no_frame_shows_what_is_foreign_in_it_and_not_all_of_it(ends: Any) -> None:
    control, _, raw = ends
    raw.send(b'{"said":"pong","id":"a","\\u001b[2J' + b"x" * 5000 + b'":1}')
    with pytest.raises(LinkCorruptError) as caught:
        control.receive()
    assert "\\x1b[2J" in en(caught.value.text)
    assert len(en(caught.value.text)) < 500


@pytest.mark.parametrize(
    "message",
    [
        Message("no.such-code", **{"name\x1b[2J": "x"}),
        Message("no.such-\x1b[2J", name="\u202e"),
        Message("doors.strike-time-out-of-range", seconds=10**400, longest_strike=1),
        Message("doors.strike-time-out-of-range", seconds="x", longest_strike=["y", 1.5]),
        Message("doors.unknown-packets", count=-(10**400)),
        Message("doors.unknown-packets"),
    ],
    ids=repr,
)
def test_a_message_of_the_doors_process_can_always_be_shown(ends: Any, message: Message) -> None:
    control, doors, _ = ends
    doors.send(Trouble(message))
    received = control.receive()
    assert received == Trouble(message)
    for shown in (en(received.text), zh(received.text)):
        assert shown
        assert is_visible(shown)


def test_a_message_inside_others_is_not_multiplied_without_end(ends: Any) -> None:
    control, doors, _ = ends

    def nested(count: int) -> Message:  # the sentence of this code shows its parameter twice
        return Message("cli.volume-attached", point=nested(count - 1) if count > 1 else "x" * 1000)

    doors.send(Trouble(nested(5)))
    assert len(en(control.receive().text)) < 50_000
    doors.send(Trouble(nested(6)))
    with pytest.raises(LinkCorruptError):
        control.receive()


def test_the_longest_report_about_a_door_is_a_frame(ends: Any) -> None:
    control, doors, _ = ends
    setup = DoorSetup("\x1b" * 100, (ReaderSetup("in", "\x1b" * 200),), StrikeSetup("a"))
    [trouble] = layout(Configure((setup,), {})).troubles
    doors.send(trouble)
    assert control.receive() == trouble


def test_the_end_of_the_other_side_is_known_to_both_ways(ends: Any) -> None:
    control, doors, raw = ends
    raw.close()
    doors.close()
    with pytest.raises(LinkClosedError):
        control.receive()
    with pytest.raises(LinkClosedError):
        control.send(Release("r", "d", "in", 1))


def test_a_pair_nobody_reads_is_full_and_keeps_the_order(ends: Any) -> None:
    control, doors, _ = ends
    sent = 0
    try:
        while sent < 100_000:
            doors.send(Released(str(sent), ok=True))
            sent += 1
    except LinkFullError:
        pass
    assert 0 < sent < 100_000
    assert [control.receive().id for _ in range(sent)] == [str(number) for number in range(sent)]
    doors.send(READ)
    assert control.receive() == READ


def test_every_word_stands_for_one_shape() -> None:
    for union in (ToDoors, FromDoors):
        words = [kind.__struct_config__.tag for kind in get_args(union)]
        assert len(set(words)) == len(words)
        assert all(kind.__doc__ for kind in get_args(union))


def test_the_outbox_counts_what_it_drops_and_keeps_what_answers() -> None:
    sent: list[FromDoors] = []
    open_: list[bool] = []

    def send(frame: FromDoors) -> None:
        if not open_:
            raise LinkFullError
        sent.append(frame)

    outbox = Outbox(send, capacity=4)
    for _ in range(10):
        outbox.say(READ)
    outbox.say(Released("r", ok=True))
    assert outbox.waiting
    assert not outbox._roomy.is_set()
    open_.append(True)
    outbox.drain()
    assert sent == [READ] * 4 + [Released("r", ok=True), Lost("d", 6)]
    assert not outbox.waiting
    assert outbox._roomy.is_set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("osdp+tcp://10.9.0.20:4001/1", OsdpTcp("10.9.0.20", 4001, 1)),
        ("osdp+tcp://[fd00::1]:4001/126", OsdpTcp("fd00::1", 4001, 126)),
        ("osdp+serial:///dev/ttyS0?baud=115200#0", OsdpSerial("/dev/ttyS0", 115200, 0)),
        ("uhppote://10.9.0.10:60000/405419896/4", Uhppote("10.9.0.10", 60000, 405419896, 4)),
    ],
)
def test_an_address_is_read_and_written_in_one_way(text: str, found: object) -> None:
    assert parse(text) == found
    assert str(parse(text)) == text
    assert text.startswith(parse(text).line)


def test_the_baud_rate_may_be_left_out() -> None:
    assert str(parse("osdp+serial:///dev/ttyUSB0#3")) == "osdp+serial:///dev/ttyUSB0?baud=9600#3"


@pytest.mark.parametrize(
    "text",
    [
        "", "osdp+tcp://reader.site:4001/1", "osdp+tcp://10.9.0.20/1", "osdp+tcp://10.9.0.20:4001",
        "osdp+tcp://10.9.0.20:4001/127", "osdp+tcp://10.9.0.20:0/1", "osdp+tcp://10.9.0.20:65536/1",
        "osdp+tcp://10.9.0.20:04001/1", "osdp+tcp://10.9.0.20:4001/01", "osdp+tcp://0.0.0.0:4001/1",
        "osdp+tcp://255.255.255.255:1/1", "osdp+tcp://224.0.0.1:1/1", "osdp+tcp://300.1.1.1:1/1",
        "osdp+serial://ttyS0#1", "osdp+serial:///etc/passwd#1", "osdp+serial:///dev/../etc/x#1",
        "osdp+serial:///dev/ttyS0?baud=300#1", "osdp+serial:///dev/ttyS0", "uhppote://10.9.0.10:60000/0/1",
        "uhppote://10.9.0.10:60000/4294967296/1", "uhppote://10.9.0.10:60000/405419896/5",
        "uhppote://[fd00::1]:60000/405419896/1", "uhppote://10.9.0.10:60000/405419896/1\n", "x" * (LONGEST + 1),
        "uhppote://10.9.0.10:60000/٤٠٥/1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_both_languages(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert "is not a valid door device address" in en(caught.value.text)
    assert "不是有效的门禁设备地址" in zh(caught.value.text)
    assert caught.value.hint
