"""Receipts, people and places for the tests of the proof.

Rules of this file: real processes, but only under uids of 62100 to 62199; root is kept out of a directory by Landlock,
in a thread of its own: a real refusal by the kernel that needs no agent and ends with the thread. Source: landlock(7).
"""

import ctypes
import os
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from agent.kernel import open_files
from agent.kernel.walk import walk
from agent.offboard.context import Account, AreaPath, DenialAck, RevocationContext, RevocationSubject
from agent.offboard.guardrails import Rails
from agent.offboard.receipt.receipt import RevocationRecord, StepRecord
from agent.offboard.receipt.timeline import DoorMark, Marks
from rules.text import Text

UID, OTHER = 62100, 62150
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
ISSUED = NOON + timedelta(minutes=1)
T = TypeVar("T")

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38


def kept_out(readable: Iterable[str], act: Callable[[], T]) -> T:
    """Do *act* in a thread that can open for reading only what is below *readable*, root or not; return its value."""
    found: list[T | BaseException] = []

    def run() -> None:
        try:
            _landlock(readable)
            found.append(act())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _landlock(readable: Iterable[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    wanted = struct.pack("Q", _READ_FILE | _READ_DIR)
    ruleset = libc.syscall(_CREATE, wanted, len(wanted), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        for path in readable:
            fd = os.open(path, os.O_PATH)
            rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, fd)
            assert libc.syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0) == 0, ctypes.get_errno()
            os.close(fd)
        assert libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        assert libc.syscall(_RESTRICT, ruleset, 0) == 0, ctypes.get_errno()
    finally:
        os.close(ruleset)


def landlock_works() -> bool:
    return int(ctypes.CDLL(None).syscall(_CREATE, None, 0, 1)) > 0


def unmarked(_pid: int) -> None:
    """Nobody keeps a log here."""


def leaver(*uids: int) -> RevocationSubject:
    return RevocationSubject("E1001", tuple(map(Account, uids or (UID,))))


def context(*areas: AreaPath, **more: Any) -> RevocationContext:
    devices = frozenset(os.stat(area.path).st_dev for area in areas if os.path.exists(area.path))
    made = RevocationContext(
        seized=Path("/nowhere"),
        deny=lambda _person: DenialAck(7, datetime.now(UTC)),
        now=lambda: datetime.now(UTC),
        append=lambda _fields: 0,
        own=unmarked,
        areas=lambda: areas,
        devices=lambda: devices,
        held=open_files.held,
        area_of=lambda _held: "",
        uncut=lambda found: found.how == "map",
        walk=walk,
        rails=lambda: Rails(frozenset({os.getpid()})),
        owner=lambda _uid: None,
        taken=tuple,
        doors=None,
        end_sessions=lambda: False,
        stop_units=lambda: False,
        patience=5.0,
        may=lambda _uid, _area: False,
        denials=None,
    )
    return replace(made, **more)


def after(milliseconds: float) -> datetime:
    return NOON + timedelta(milliseconds=milliseconds)


def good_proof() -> dict[str, Any]:
    scan = {
        "at": "2026-03-02T12:00:00.030000+00:00",
        "complete": True,
        "found": [],
        "holding": [],
        "left": 0,
        "unseen": [],
    }
    attempts = [
        {"area": "计划", "what": what, "uid": uid, "login": UID, "answer": "denied", "error": "EPERM"}
        for uid in (UID, 0)
        for what in ("list", "file")
    ]
    return {
        "scans": [dict(scan), dict(scan)],
        "attempts": attempts,
        "unreached": [],
        "areas": 1,
        "uids": [UID],
        "untouched": [],
    }


def signatory(role: str, by: str, at: str | None, **signed: Any) -> dict[str, Any]:
    """Return one who approved, and that the agent wrote it down."""
    made = {"by": by, "role": role, "title": None, "at": at, "clock": "agent", "opinion": "", "key": None}
    return {"signed": {**made, **signed}, "written": {"by": "hr", "at": "2026-03-02T12:00:00.003000Z"}}


def ending(**more: Any) -> RevocationRecord:
    """Return what a complete receipt says, changed by *more*."""
    made = RevocationRecord(
        host="site-a",
        person="E1001",
        case="C000001",
        cause="departure",
        reference="HR-2026-17",
        pack="state@1a2b3c4d5e6f",
        approvers=(signatory("department-head", "E0007", "2026-03-02T11:59:00.000000Z", clock="personnel"),),
        marks=Marks(after(-60_000), NOON, after(4), after(7), after(6.5), after(12)),
        steps=(
            StepRecord(
                "deny", Text("deny every access", "拒绝一切访问"), "confirmed", Text("epoch 7", "版次 7"), {"epoch": 7}
            ),
            StepRecord("samba", Text("Samba", "Samba"), "skipped", Text("no Samba here", "本机无 Samba"), {}),
        ),
        proof=good_proof(),
        doors=(DoorMark("B2", "confirmed", after(40), Text("refused", "已拒绝")),),
    )
    return replace(made, **more)
