"""Parsers of what lies on disk: settings and packs that people write, and what the agent itself has kept.

What the agent keeps is root's alone. It is fuzzed all the same: a disk, a crash or a restored backup changes it, and a
process that dies of it is the attack that somebody was looking for.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.control import stopped_processes
from agent.control.offboarding import given_warnings
from agent.control.seen_holders import SeenHolders
from agent.doors.osdp.keys import KeyStore
from agent.errors import RefusedError, UsageError
from agent.guard import kept_openers, openers_page, policy
from agent.kernel import cover
from agent.log import batch_check, index, recover, segments, verify
from agent.offboard.intake import quarantine, spool
from agent.offboard.receipt import verify as receipts
from agent.registry import intent, stores
from agent.rooms.panel import state
from agent.runtime import channel, clock_file, config
from agent.runtime.home import Home
from agent.site import role_groups
from agent.volumes.labelling import LabelSweeps
from agent.volumes.visits import VisitNumbers
from rules.pack import clauses
from rules.pack.model import Pack
from rules.pack.reader import PackError, check, load
from tests import ROOT
from tests.fuzz.parser import Parser, in_file, in_text
from tests.rules.strategies import EVERYTHING, PACKS
from tui import filters
from tui.render import entry_columns
from tui.settings import Settings
from tui.settings import read as terminal_settings

_HEAD = b'{"seq":%d,"time":"2026-11-30T12:00:0%d.000000Z",%b}'
_LINE = _HEAD % (
    1,
    0,
    b'"kind":"access","verdict":"deny","area":"plans","path":"/srv/a","enforced":true,"boot":"b","mono":5',
)
_ACT = _HEAD % (2, 1, b'"kind":"act","outcome":"done","epoch":7,"change":"x","args":{"areas":["plans"]}')
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()


def _pack(text: str) -> Any:
    problems = check(text)
    try:
        return load(text)
    except PackError:
        assert any(one.severity == "error" for one in problems), "refused, and nothing says why"
        raise


def _rules_stand(_data: bytes, found: Pack) -> None:
    assert {"hold", "level", "scope", "grant", "departure"} <= {rule.id for rule in found.rules}, (
        "a pack without a rule"
    )


def _verified(data: bytes) -> Any:
    """Verify a log of one segment with *data*."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        Path(folder, segments.name(1)).write_bytes(data)
        report = verify.verify(Path(folder))
        assert report.to_json()
        return report


def _only_whole_lines(data: bytes, found: verify.LogReport) -> None:
    if found.ok and data:
        assert all(json.loads(line) for line in data.split(b"\n")[:-1])


def _recovered(path: Path) -> Any:
    with path.open("rb") as file:
        end = recover.find_end(file.fileno(), 1)
    return end, end.clocks


def _page(data: bytes) -> Any:
    half = 4_096
    page = openers_page.create(half)
    try:
        os.pwrite(page, data[: 2 * half], 0)
        kept = list(openers_page.OpenersPage(page, half).read())
    finally:
        os.close(page)
    assert sum(map(len, kept)) <= half
    return kept


def _channel(data: bytes) -> Any:
    ours, theirs = channel.socket.socketpair(channel.socket.AF_UNIX, channel.socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.send(data)
        found = channel.receive(ours)
    assert found is None or isinstance(found, dict)
    return found


def _quarantined(path: Path) -> Any:
    place = path.parent / "quarantine"
    place.mkdir()
    (place / "x.set").touch()
    path.rename(place / "x.json")
    return list(quarantine.quarantined(path.parent))


def _named(path: Path) -> Any:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        found = spool._named(folder, path.stem)
    finally:
        os.close(folder)
    assert "/" not in found
    return found


def _keys(path: Path) -> Any:
    return KeyStore(path).all() if hasattr(KeyStore, "all") else KeyStore(path)._read()


def _places(_data: bytes, found: Any) -> None:
    for area, path in found.items():
        assert isinstance(area, str)
        assert path is None or os.fsencode(path)


_KEPT = kept_openers.record(
    (65_024, 12),
    kept_openers.Subject(61_001, None, 0, 10, 11, b"/usr/sbin/smbd", b"smbd", impersonates=True, started=9),
)
_CLOCK = json.dumps(
    {"boot_id": "b", "boot": 5, "wall_offset": 6, "now": [1, 2], "former": [[1, 2]], "since": None}
).encode()

PARSERS = (
    Parser(
        "config",
        "the administrator",
        ("agent.runtime.config:parse", "agent.runtime.config:_Page.read"),
        in_file(config.load),
        (RefusedError,),
        (b'[log]\ndurability = "power"\n', b'[roles]\nsystem = "a"\nsecurity = 7\nauditor = "b"\n'),
    ),
    Parser(
        "pack",
        "whoever writes rules",
        ("rules.pack.reader:_read", "rules.model:Level.parse"),
        in_text(_pack),
        (PackError,),
        (EVERYTHING.encode(), (PACKS / "minimal.toml").read_bytes(), (PACKS / "company.toml").read_bytes()),
        _rules_stand,
    ),
    Parser(
        "clauses",
        "the product",
        ("rules.pack.clauses:read_clauses",),
        in_text(clauses.read_clauses),
        (KeyError, clauses.csv.Error),
        ((ROOT / "rules" / "clauses.csv").read_bytes()[:3_000],),
    ),
    Parser(
        "duties",
        "the product",
        ("rules.pack.clauses:read_duties",),
        in_text(clauses.read_duties),
        (KeyError, ValueError, AttributeError, clauses.csv.Error),
        ((ROOT / "rules" / "duties.csv").read_bytes()[:3_000],),
    ),
    Parser(
        "terminal-settings",
        "who sits at the terminal",
        ("tui.settings:read",),
        in_text(lambda text: terminal_settings(text, "x", Settings())),
        (),
        (b'theme = "ansi-dark"\nmouse = true\n[keys]\n"log.verify" = "v"\n',),
    ),
    Parser(
        "filter",
        "who sits at the terminal",
        ("tui.filters:parse",),
        in_text(filters.parse),
        (UsageError,),
        ("person:E1 verdict:deny 计划".encode(), b"own:yes area:plans"),
    ),
    Parser(
        "shown-line", "the log", ("tui.render.entry_columns:parsed",), in_text(entry_columns.parsed), (), (_LINE, _ACT)
    ),
    Parser(
        "log-lines",
        "whoever can write to the disk",
        ("agent.log.batch_check:<module>",),
        lambda data: batch_check.in_order(data.split(b"\n"), 1, ""),
        (),
        (_LINE, _LINE + b"\n" + _ACT),
    ),
    Parser(
        "log-entry",
        "whoever can write to the disk",
        ("agent.log.index:_entry",),
        lambda data: index._entry(data),
        (),
        (_LINE, _ACT),
    ),
    Parser(
        "log-segment",
        "whoever can write to the disk",
        ("agent.log.verify:<module>",),
        _verified,
        (),
        (_LINE + b"\n" + _ACT + b"\n",),
        _only_whole_lines,
    ),
    Parser(
        "log-end",
        "a crash",
        ("agent.log.recover:_entry", "agent.log.recover:End.clocks"),
        in_file(_recovered),
        (recover.FatalError,),
        (_LINE + b"\n" + _ACT + b"\n", _LINE + b"\n" + _ACT[:30]),
    ),
    Parser("log-act", "the log", ("agent.registry.stores:_fields",), stores._fields, (), (_ACT,)),
    Parser(
        "receipt",
        "whoever shows one",
        ("agent.offboard.receipt.verify:verify", "agent.offboard.receipt.verify:_read"),
        lambda data: receipts._read(data, "x"),
        (),
        tuple(path.read_bytes().split(b"\n")[0] for path in sorted(ROOT.glob("tests/offboard/receipt/**/*.json"))[:8])
        or (b"{}",),
    ),
    Parser(
        "sealed-receipt",
        "whoever shows one",
        (),
        lambda data: receipts.verify(data, _KEY),
        (),
        (b'{"a":1}\n{"key":"00","signature":"AAAA"}\n',),
    ),
    Parser("intent", "a crash", ("agent.registry.intent:_parsed",), intent._parsed, (), (b'{"op":"x","epoch":7}\n',)),
    Parser(
        "panel-state",
        "the registry",
        ("agent.rooms.panel.state:decode_state",),
        in_text(state.decode_state),
        (ValueError,),
        (b'{"version":1}',),
    ),
    Parser(
        "channel",
        "the agent's own processes",
        ("agent.runtime.channel:receive",),
        lambda data: _channel(data[: channel.MAX_MESSAGE] or b"{}"),
        (),
        (b'{"do":"epoch","epoch":7}', b"[1]"),
    ),
    Parser(
        "clock",
        "a crash",
        ("agent.runtime.clock_file:read", "agent.runtime.timeline:Timeline.from_json"),
        in_file(clock_file.read),
        (),
        (_CLOCK,),
    ),
    Parser(
        "role-groups",
        "the registry",
        ("agent.site.role_groups:read",),
        in_text(role_groups.read),
        (),
        (b'{"system":"a","security":7}', b""),
    ),
    Parser(
        "covers",
        "the agent",
        ("agent.kernel.cover:_places",),
        in_file(cover.read_list),
        (),
        (b'["plans","/srv/p","/srv",true,["/srv/p"],[8,1],true]\n',),
    ),
    Parser(
        "kept-openers",
        "the decider before",
        ("agent.guard.kept_openers:parse",),
        kept_openers.parse,
        (ValueError, TypeError, OverflowError, RecursionError),
        (_KEPT,),
    ),
    Parser(
        "openers-page",
        "the decider before",
        ("agent.guard.openers_page:OpenersPage._reach", "agent.guard.openers_page:OpenersPage.read"),
        _page,
        (),
        (bytes(8), b"\x20" + bytes(7) + b"\x04\x00\x00\x00abcd" + b"\x04\x00\x00\x00efgh"),
    ),
    Parser(
        "stopped",
        "the control process before",
        ("agent.control.stopped_processes:_read",),
        in_file(lambda path: list(stopped_processes._read(path))),
        (),
        (b"[10,99,5.5]\n[11,98,6]\n",),
    ),
    Parser(
        "warnings",
        "the agent",
        ("agent.control.offboarding.given_warnings:read_warnings",),
        in_file(given_warnings.read_warnings),
        (),
        (b'[["grant","E1","G000001","2026-12-31T00:00:00+00:00",86400]]',),
    ),
    Parser(
        "seen-holders",
        "the control process before",
        ("agent.control.seen_holders:SeenHolders.__init__",),
        in_file(SeenHolders),
        (),
        (b'{"guard":[1,2],"areas":["plans"],"before":[]}',),
    ),
    Parser(
        "logged-areas",
        "the agent",
        ("agent.guard.policy:_logged_areas",),
        in_file(lambda path: policy._logged_areas(Home(path.parent)), "logged-areas.json"),
        (),
        (b'{"plans":"/srv/p","notes":null}',),
        _places,
    ),
    Parser(
        "visits",
        "the agent",
        ("agent.volumes.visits:VisitNumbers.__init__",),
        in_file(VisitNumbers),
        (),
        (b'{"plans":7}',),
    ),
    Parser(
        "label-sweeps",
        "the agent",
        ("agent.volumes.labelling:LabelSweeps.__init__",),
        in_file(LabelSweeps),
        (),
        (b'{"holder":"1-2","done":["x"]}',),
    ),
    Parser(
        "reader-keys",
        "the agent",
        ("agent.doors.osdp.keys:KeyStore._read",),
        in_file(_keys),
        (RefusedError,),
        (b'{"osdp+tcp://10.9.0.20:4001/1":["00112233445566778899aabbccddeeff"]}',),
    ),
    Parser(
        "quarantined",
        "the agent",
        ("agent.offboard.intake.quarantine:quarantined",),
        in_file(_quarantined),
        (),
        (
            b'{"at":"x","reason":"y","text":{"en":"a","zh":"b"},"subject":"E1","event":"z","txn":"1","iss":"i","jti":"j"}',
        ),
    ),
    Parser(
        "moved-notice",
        "the agent",
        ("agent.offboard.intake.spool:_named",),
        in_file(_named, "x.json"),
        (),
        (b'{"file":"a.set"}',),
    ),
)
