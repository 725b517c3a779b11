"""A checker written from the page alone agrees with the product's, on real receipts and on forged ones."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.receipt.receipt import StepRecord, build, canonical, issue, signed
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.timeline import ClockName, DoorMark, Marks, Origin, Source
from agent.offboard.receipt.verify import verify
from rules.text import Text
from tests.examples import examples
from tests.offboard import proof_kit as kit
from tests.offboard.receipt import checker
from tests.offboard.receipt.test_receipt import GOOD, INCOMPLETE, PUBLIC, SIGNER, body_of, changed, leaves, seal

LOCAL = {"approved": Origin(Source.SOCKET), "received": Origin(Source.SOCKET)}


def agreed(receipt: bytes, public: bytes = PUBLIC) -> list[str] | None:
    """Return what is open by both, ``None`` when both say that it is not genuine; fail when they disagree."""
    report = verify(receipt, public)
    left: list[str] | None = None
    why = ""
    try:
        left = checker.check(receipt, public)
    except checker.NotGenuineError as error:
        why = str(error)
    assert report.genuine == (left is not None), (report.problems, why)
    assert left is None or sorted(left) == sorted(report.left)
    return left


def made(**more: Any) -> bytes:
    return signed(build(kit.ending(**more), SIGNER.fingerprint, kit.ISSUED), SIGNER)


def test_it_is_written_from_the_page_alone() -> None:
    tree = ast.parse(Path(checker.__file__).read_text(encoding="utf-8"))
    named = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    named |= {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    assert {name.partition(".")[0] for name in named} <= {*sys.stdlib_module_names, "cryptography"}


def test_receipts_as_they_are_issued() -> None:
    assert agreed(GOOD) == []
    marks = replace(kit.ending().marks, approved=kit.NOON, origins=LOCAL)
    assert agreed(made(cause="loss", lost=("计划",), act="grant.end", seq=7, marks=marks)) == []
    due = Marks(kit.NOON, kit.NOON, None, kit.NOON, origins={"approved": Origin(Source.DUE)})
    assert agreed(made(cause="expiry", lost=("计划",), marks=due)) == []
    assert agreed(made(cause="hold", marks=replace(due, denied=None))) == ["mark:durable", "mark:denied"]
    assert agreed(made(own_entries={"count": 3, "first": 11, "last": 14})) == []


@pytest.mark.parametrize("name", INCOMPLETE)
def test_receipts_with_something_open(name: str) -> None:
    assert agreed(made(**INCOMPLETE[name]))


@pytest.mark.parametrize(("name", "left"), [("complete", []), ("open", ["step:cron", "proof"])])
def test_receipts_of_version_1(version_1: Path, name: str, left: list[str]) -> None:
    key = (version_1 / "key.pem").read_bytes()
    receipt = (version_1 / f"{name}.receipt").read_bytes()
    assert agreed(receipt, key) == left
    assert agreed(receipt.replace(b'"version":1', b'"version":2'), key) is None
    assert agreed(receipt) is None  # of another key


def moved(mark: str, **more: Any) -> dict[str, Any]:
    """Return a receipt of the agent in which one mark was changed: what one with a fault in it would sign."""
    body = body_of(GOOD)
    for row in body["timeline"]:
        if row["mark"] == mark:
            row.update(more)
    return body


NOON = "2026-03-02T12:00:00.000000Z"
FORGED = {
    "durable after denied": moved("durable", at="2026-03-02T12:00:00.008000Z", after_us=8000),
    "denied before received": moved("denied", at="2026-03-02T11:59:59.999000Z", after_us=-1000),
    "gone before durable": moved("last-gone", at="2026-03-02T12:00:00.003000Z", after_us=3000),
    "later than the receipt": moved("last-gone", at="2026-03-02T12:01:00.000001Z", after_us=60_000_001),
    "approved after it was received": moved("approved", clock="agent", at=NOON[:-4] + "001Z", after_us=1),
    "a span across two clocks": moved("approved", after_us=-60_000_000),
    "received by the personnel system's clock": moved("received", clock="personnel", after_us=None),
    "a clock nobody knows": moved("denied", clock="wall"),
    "measured without an instant": moved("last-gone", at=None, after_us=None),
    "an instant that was not measured": moved("last-gone", state="none"),
    "a span of nothing": moved("last-gone", at=None, state="none"),
    "outside its bounds": moved("received", not_before="2026-03-02T12:00:00.000001Z"),
    "outside its bounds, above": moved("received", not_after="2026-03-02T11:59:59.999999Z"),
    "a mark twice": changed(body_of(GOOD), ("timeline", 4, "mark"), "denied"),
    "marks in another order": changed(body_of(GOOD), ("timeline",), body_of(GOOD)["timeline"][::-1]),
    "own entries that cannot be": changed(body_of(GOOD), ("own_entries",), {"count": 4, "first": 1, "last": 3}),
    "own entries without numbers": changed(body_of(GOOD), ("own_entries", "count"), 1),
    "own entries counted backwards": changed(body_of(GOOD), ("own_entries",), {"count": -1, "first": 3, "last": 1}),
    "doors of a site without": {
        **body_of(GOOD),
        "steps": [{**body_of(GOOD)["steps"][0], "id": "doors", "state": "not-present"}],
    },
    "a later version": changed(body_of(GOOD), ("version",), 3),
    "of another kind": changed(body_of(GOOD), ("kind",), "x"),
    "a version that is true": changed(body_of(GOOD), ("version",), True),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_what_breaks_the_law_is_refused_though_it_is_signed(name: str) -> None:
    assert agreed(seal(FORGED[name])) is None


def test_what_was_unordered_is_open_and_stays_genuine() -> None:
    marks = replace(kit.ending().marks, durable=kit.after(9), last_read=kit.after(70_000))
    assert agreed(made(marks=marks)) == ["mark:denied", "mark:last-read"]


@examples(300)
@given(
    st.sampled_from([(key,) for key in body_of(GOOD)] + leaves(body_of(GOOD))),
    st.sampled_from(
        [None, "", 0, -1, True, [], {}, [[]], {"en": 1}, "x", "done", NOON, "2026-03-02T12:00:00", "not-part"]
    ),
)
def test_they_agree_on_any_fault_that_was_signed(path: tuple[Any, ...], value: Any) -> None:
    agreed(seal(changed(body_of(GOOD), path, value)))


@examples(200)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_they_agree_on_any_byte(at: int, byte: int) -> None:
    forged = bytearray(GOOD)
    forged[at] = byte
    assert (agreed(bytes(forged)) is None) == (bytes(forged) != GOOD)


instants = st.one_of(st.none(), st.integers(-5000, 60_000).map(kit.after))


@examples(200)
@given(
    st.lists(instants, min_size=6, max_size=6),
    st.sampled_from(list(ClockName)),
    st.sampled_from(["departure", "hold", "expiry", "loss"]),
    st.lists(st.tuples(st.sampled_from(["confirmed", "pending"]), instants), max_size=3),
)
def test_whatever_was_measured_the_receipt_that_is_built_is_genuine(
    found: list[Any], clock: ClockName, cause: str, doors: list[tuple[str, Any]]
) -> None:
    marks = Marks(*found, origins={"approved": Origin(Source.ACT, clock)})
    named = tuple(DoorMark(f"B{number}", state, at) for number, (state, at) in enumerate(doors))
    assert agreed(made(marks=marks, cause=cause, doors=named)) is not None


def test_as_a_program_it_says_what_it_found(tmp_path: Path) -> None:
    step = StepRecord("cron", Text("timed jobs", "定时任务"), "pending", Text("busy", "占用"), {})
    whole = issue(tmp_path, kit.ending(), kit.ISSUED)
    still = issue(tmp_path, kit.ending(case="C000002", steps=(step,)), kit.ISSUED)
    forged = tmp_path / "forged"
    forged.write_bytes(whole.read_bytes().replace(b"E1001", b"E1002"))
    key = tmp_path / "key.pem"
    key.write_bytes(Signer.at(key_path(tmp_path)).public_pem())
    for path, code, said in (
        (whole, 0, "genuine"),
        (still, 1, "genuine\nstep:cron"),
        (forged, 2, "not genuine: signature"),
    ):
        ran = subprocess.run(
            [sys.executable, "-I", checker.__file__, path, key], capture_output=True, text=True, timeout=30, check=False
        )
        assert (ran.returncode, ran.stdout.strip()) == (code, said), ran.stderr


def test_a_payload_that_is_only_written_otherwise_is_another_receipt() -> None:
    loose = json.dumps(body_of(GOOD)).encode()
    assert loose != canonical(body_of(GOOD))
    assert agreed(loose + b"\n" + GOOD.split(b"\n")[1] + b"\n") is None
