"""Parsers of what comes from other hosts, users and devices: notices of HR, the control socket, readers and boards."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from agent import hr_drop
from agent.api import protocol
from agent.api.operations import TABLE
from agent.api.timestamps import instant, local
from agent.doors import address, codec
from agent.doors.frames import BoardBadge, Cards, Configure, DoorSetup, FromDoors, ReaderSetup, StrikeSetup, ToDoors
from agent.doors.messages import Release
from agent.doors.osdp import decode, frames
from agent.errors import RefusedError, UsageError
from agent.language.catalogue import both, expanded
from agent.offboard.intake import json_strict, outbox, pinned_keys, token
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.reasons import BadTokenError
from agent.registry.csv_import import ImportRefusedError, read_csv
from rules.text import Text, from_json
from rules.visible import is_visible
from tests.doors.osdp.kit import frame
from tests.doors.test_link import OTHERS, READ
from tests.fuzz.parser import Parser, in_file, in_text
from tests.offboard.intake.signing import departure, signed
from tests.offboard.intake.site import KEYS, NOW, TOKENS

_PINNED = pinned_keys.load(KEYS / "hr-keys.json")
_TOKENS = [json.loads(path.read_text())["drops"][0]["token"].encode() for path in sorted(TOKENS.glob("*.json"))]
_KNOWN = frozenset(one.strip() for one in _TOKENS)


def _only_a_signed_one(data: bytes, found: HrNotice) -> None:
    """Nobody can change a byte that a signature covers: what is accepted was a sample, but for how it ends."""
    assert data.strip(b"\r\n").replace(b"=", b"") in {one.replace(b"=", b"") for one in _KNOWN}
    assert HrNotice.from_json(json.loads(json.dumps(found.to_json()))) == found


class _NotJsonError(Exception):
    """No document has come: there is nothing to read."""


def _sentence(data: bytes) -> Text:
    """Read a sentence that crossed a socket, and say it."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _NotJsonError from None
    assert expanded(document) is not None
    return both(from_json(document))


def _only_visible(_data: bytes, found: Text) -> None:
    assert all(map(is_visible, found))


def _ask(data: bytes) -> Any:
    """Read a request as the server does: the line, then the arguments of its operation."""
    call = protocol.parse(data)
    if call.op not in TABLE:
        return None
    read = TABLE[call.op].read(call.args, None)
    TABLE[call.op].recorded(call.args)
    return read


def _frame(data: bytes) -> Any:
    """Take every frame out of what came over a wire."""
    buffer, found = bytearray(data), []
    while (one := frames.take(buffer)) is not None:
        found.append(frames.parse(one))
    assert len(buffer) <= frames.LONGEST, "more is kept than a frame can have"
    return found


def _card(data: bytes) -> Any:
    return decode.decode(data[1:], data[0] if data else 0)


def _same_card(data: bytes, found: decode.DecodedCard) -> None:
    assert decode.encode(found.number, found.facility, found.bits) == data[1:]


_VALUES: dict[str, object] = {
    "text": "x", "path": "/srv/x", "target": "/srv/x", "number": 7, "flag": True, "level": "secret",
    "since": "2026-12-31", "until": "2026-12-31T08:00:00+08:00", "hour": "04:00", "texts": ["x"], "numbers": [1],
    "levels": ["state=secret"], "file": "x",
}  # fmt: skip


def _requests() -> list[bytes]:
    """Return a right request of each operation, with all its arguments."""
    asked = {name: {one.name: _VALUES[one.kind] for one in operation.params} for name, operation in TABLE.items()}
    return [json.dumps({"id": "1", "op": name, "args": args}).encode() + b"\n" for name, args in asked.items()]


_FROM_DOORS = tuple(codec.encode(one) for one in (READ, *OTHERS))
_TO_DOORS = tuple(
    codec.encode(one)
    for one in (
        Release("r", "d", "in", 5.0),
        Cards("x", (BoardBadge(4660, "2026-12-31"),), (1, 2)),
        Configure(
            (
                DoorSetup(
                    "d", (ReaderSetup("in", "osdp+tcp://10.9.0.20:4001/1"),), StrikeSetup("osdp+tcp://10.9.0.20:4001/1")
                ),
            ),
            {},
        ),
    )
)
_ADDRESSES = (
    b"osdp+tcp://10.9.0.20:4001/1", b"osdp+tcp://[2001:db8::1]:4001/126", b"osdp+serial:///dev/ttyS0?baud=9600#1",
    b"uhppote://10.9.0.10:60000/405419896/1",
)  # fmt: skip
_CSV = (
    "id,name,level,accounts,badges\nE1,张三,secret,61001,4660\n".encode(),
    '\ufeffid,name,department,level,domain\r\nE1,"a,b",rd,核心,state\r\n'.encode(),
)


def _sent(data: bytes) -> Any:
    """Read an answer of the agent as HR's host does."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        names = Path(folder, "outbox", "by-name")
        names.mkdir(parents=True)
        (names / "a.set").write_bytes(data)
        return hr_drop.answer(Path(folder), hr_drop.Delivered("a.set", _TOKENS[0].decode()), None)


def _notice(text: str) -> str:
    return hr_drop.token_of(text, _SENDER, [_SENDER], NOW.timestamp(), "urn:x")


_SENDER = json.loads((KEYS / "test-only-hr-ed25519.private.jwk.json").read_text())
_ANSWER = signed(
    {"events": {"x": {"state": "done", "answers": None, "sha256": hashlib.sha256(_TOKENS[0]).hexdigest()}}}
).encode()

PARSERS = (
    Parser(
        "token",
        "HR, or whoever reaches the spool",
        (
            "agent.offboard.intake.json_strict:read",
            "agent.offboard.intake.json_strict:_decoded",
            "agent.offboard.intake.token:_check_signature",
            "agent.offboard.intake.notice:HrNotice.from_json",
        ),
        lambda data: token.verify(data, _PINNED, NOW),
        (BadTokenError,),
        _TOKENS,
        _only_a_signed_one,
    ),
    Parser(
        "json-strict",
        "HR",
        (),
        json_strict.read,
        (BadTokenError,),
        (b'{"a":{"b":[1,"x",null]}}', b'{"iat":1.5,"aud":["x"]}'),
    ),
    Parser(
        "hr-keys",
        "whoever pins HR's keys",
        ("agent.offboard.intake.pinned_keys:parse",),
        pinned_keys.parse,
        (RefusedError,),
        ((KEYS / "hr-keys.json").read_bytes(),),
    ),
    Parser(
        "request",
        "every user of the host",
        ("agent.api.protocol:parse", "agent.api.operations.schema:_read"),
        _ask,
        (UsageError,),
        _requests(),
    ),
    Parser(
        "from-doors",
        "the doors process, which may have been taken over",
        ("agent.doors.codec:decoder", "agent.doors.codec:decoder.decode"),
        codec.decoder(FromDoors),
        (codec.InvalidMessageError,),
        _FROM_DOORS,
    ),
    Parser("to-doors", "the control process", (), codec.decoder(ToDoors), (codec.InvalidMessageError,), _TO_DOORS),
    Parser(
        "osdp-frames",
        "whoever is on the wire of a reader",
        ("agent.doors.osdp.frames:parse",),
        _frame,
        (),
        (
            frame(5, 2, b"", 0x60, b""),
            frame(5, 2, bytes([3, 0x11, 1]), 0x50, bytes([0, 1, 26, 0, 3, 0x89, 0x1A, 0x40])),
            frame(5, 1, bytes([2, 0x17]), 0x50, bytes(16)),
        ),
    ),
    Parser(
        "card",
        "a reader",
        ("agent.doors.osdp.decode:decode",),
        _card,
        (decode.UnreadableCardError,),
        (b"\x1a" + decode.encode(4660, 12), b"\x25" + decode.encode(99, None, 37), b"\x40" + bytes(8)),
        _same_card,
    ),
    Parser("keypad", "a reader", (), lambda data: decode.keys(data), (), (b"1234\r", b"\x7f#*0")),
    Parser(
        "address",
        "the administrator",
        ("agent.doors.address:parse",),
        in_text(address.parse),
        (UsageError,),
        _ADDRESSES,
    ),
    Parser(
        "answer",
        "who can write to the agent's outbox",
        ("agent.hr_drop:_payload", "agent.hr_drop:_number"),
        _sent,
        (hr_drop.DropError,),
        (_ANSWER,),
    ),
    Parser(
        "notice",
        "HR",
        ("agent.hr_drop:token_of",),
        in_text(_notice),
        (hr_drop.DropError,),
        (json.dumps(departure()).encode(), *_TOKENS[:2]),
    ),
    Parser(
        "sender-key",
        "HR",
        ("agent.hr_drop:read_key",),
        in_file(hr_drop.read_key),
        (hr_drop.DropError,),
        (json.dumps(_SENDER).encode(),),
    ),
    Parser(
        "agent-keys",
        "HR",
        ("agent.hr_drop:read_keys",),
        in_file(hr_drop.read_keys),
        (hr_drop.DropError,),
        ((KEYS / "hr-keys.json").read_bytes(),),
    ),
    Parser(
        "outbox",
        "who can write to the agent's outbox",
        ("agent.offboard.intake.outbox:payload",),
        in_file(outbox.payload),
        (),
        (_ANSWER,),
    ),
    Parser(
        "people",
        "whoever exports people from another system",
        ("agent.registry.csv_import:read_csv",),
        in_text(read_csv),
        (ImportRefusedError,),
        _CSV,
    ),
    Parser(
        "sentence",
        "a caller, who may write one into an argument",
        ("rules.text:from_json",),
        _sentence,
        (_NotJsonError,),
        (
            b'{"code":"rules.hold","parameters":{"hold":{"en":"a","zh":"b"},"count":1}}',
            b'{"code":"common.labelled","parameters":{"label":"x","text":["y",2,{"code":"a.b","parameters":{}}]}}',
        ),
        _only_visible,
    ),
    Parser(
        "instant",
        "people",
        (),
        in_text(lambda text: local(instant(text, None, end=True).isoformat())),
        (ValueError,),
        (b"2026-12-31", b"2026-12-31T08:00:00+08:00", b"2026-12-31 08:00", b"9998-12-31", b"1970-01-01"),
    ),
)
