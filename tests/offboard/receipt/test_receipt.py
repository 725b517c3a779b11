"""A receipt says what was measured, to whoever has the public key, and not one byte else."""

import base64
import copy
import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError, UsageError
from agent.offboard.receipt.page import page, report_page
from agent.offboard.receipt.receipt import StepRecord, build, canonical, issue, kept, receipts_folder, signed
from agent.offboard.receipt.signing import Signer, key_path
from agent.offboard.receipt.timeline import DoorMark, Marks
from agent.offboard.receipt.verify import verify
from rules.text import Language, Message, Text
from tests.examples import examples
from tests.offboard import proof_kit as kit

SIGNER = Signer(Ed25519PrivateKey.generate())
LANGUAGES: tuple[Language, ...] = ("en", "zh")
PUBLIC = SIGNER.public_pem()
GOOD = signed(build(kit.ending(), SIGNER.fingerprint, kit.ISSUED), SIGNER)


def seal(body: dict[str, Any]) -> bytes:
    """Sign *body* as it is: what an agent with a fault in it would give out."""
    return signed(canonical(body), SIGNER)


def body_of(receipt: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(receipt.split(b"\n")[0])
    return parsed


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*path, index))]
    return [path]


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    inner: Any = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return body


def test_a_receipt_is_genuine_and_complete_and_says_the_same_twice() -> None:
    report = verify(GOOD, PUBLIC)
    assert (report.problems, report.left, report.complete) == ((), (), True)
    assert report.payload == body_of(GOOD)
    assert build(kit.ending(), SIGNER.fingerprint, kit.ISSUED) == GOOD.split(b"\n")[0]


def test_the_public_key_may_be_given_as_its_32_bytes() -> None:
    raw = load_pem_public_key(PUBLIC).public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert verify(GOOD, raw).complete


@pytest.mark.parametrize("cut", [0, 27, -40], ids=["empty", "header", "cut-off"])
def test_a_key_that_is_none_is_said_to_be_none(cut: int) -> None:
    key = PUBLIC[:cut]
    with pytest.raises(UsageError):
        verify(GOOD, key)


@examples(150)
@given(
    st.sampled_from(leaves(body_of(GOOD))),
    st.sampled_from([None, "", "done", 0, 1, True, [], {}, "2026-01-01T00:00:00Z"]),
)
def test_no_field_can_be_changed_after_signing(path: tuple[Any, ...], value: Any) -> None:
    body = changed(body_of(GOOD), path, value)
    forged = canonical(body) + b"\n" + GOOD.split(b"\n")[1] + b"\n"
    assert verify(forged, PUBLIC).genuine == (forged == GOOD)


@examples(150)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    forged = bytearray(GOOD)
    forged[at] ^= by
    assert not verify(bytes(forged), PUBLIC).genuine


@examples(60)
@given(st.integers(0, len(GOOD)), st.sampled_from([b" ", b"\n", b"=", b"0", b"\r", b","]))
def test_no_byte_can_be_put_in_or_left_out(at: int, more: bytes) -> None:
    assert not verify(GOOD[:at] + more + GOOD[at:], PUBLIC).genuine
    assert not verify(GOOD[:at] + GOOD[at + 1 :], PUBLIC).genuine or at == len(GOOD)


@examples(60)
@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass") + b"\n{}\n")
)
def test_anything_at_all_is_answered(junk: bytes) -> None:
    assert not verify(junk, PUBLIC).genuine


@examples(200)
@given(
    st.sampled_from([(key,) for key in body_of(GOOD)] + leaves(body_of(GOOD))),
    st.sampled_from([None, "", 0, -1, True, [], {}, [[]], {"en": 1}, "x"]),
)
def test_a_signed_receipt_with_a_fault_in_it_is_answered_and_never_more_complete(
    path: tuple[Any, ...], value: Any
) -> None:
    report = verify(seal(changed(body_of(GOOD), path, value)), PUBLIC)
    if report.genuine:
        for language in LANGUAGES:
            assert report_page(report, language)


def test_another_key_is_another_agent() -> None:
    other = Signer(Ed25519PrivateKey.generate())
    assert verify(GOOD, other.public_pem()).problems[0] == Message("receipt.signed-with-other-key")
    resealed = signed(GOOD.split(b"\n")[0], other)  # the content names the first key
    assert verify(resealed, other.public_pem()).problems[0] == Message("receipt.key-mismatch")


def loose(line: bytes) -> bytes:
    """Return the same signature with other spare bits in its last character: base64 has four of them here."""
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = line.index(b'=="') - 1
    return line[:at] + digits[digits.index(line[at]) + 1 :][:1] + line[at + 1 :]


@pytest.mark.parametrize(
    "rewrite",
    [
        loose,
        lambda line: line.replace(b'":"', b'": "'),
        lambda line: line.replace(b"}", b',"more":1}'),
        lambda line: line.replace(b'{"key"', b'{"key":"x","key"'),
    ],
)
def test_the_same_signature_in_other_bytes_is_refused(rewrite: Callable[[bytes], bytes]) -> None:
    payload, line, _ = GOOD.split(b"\n")
    assert json.loads(rewrite(line)).keys() >= {"key", "signature"}
    report = verify(payload + b"\n" + rewrite(line) + b"\n", PUBLIC)
    assert report.problems == (Message("receipt.signature-line-altered"),)


def test_members_that_stand_twice_are_refused_even_when_signed() -> None:
    payload = GOOD.split(b"\n")[0].replace(b'"complete":true', b'"complete":false,"complete":true')
    assert not verify(signed(payload, SIGNER), PUBLIC).genuine


PENDING = StepRecord("cron", Text("timed jobs", "定时任务"), "pending", Text("busy", "占用"), {})
FOUND = {"pid": 9, "uid": 9, "name": "sh", "state": "S", "reach": "account", "started_by": None}
ABSENT = {**kit.good_proof()["attempts"][1], "answer": "absent", "error": "ENOENT"}
INCOMPLETE = {
    "step:cron": {"steps": (*kit.ending().steps, PENDING)},
    "step:cron planned": {"steps": (replace(PENDING, state="planned"),)},
    "step:cron of a later version": {"steps": (replace(PENDING, state="almost"),)},
    "door:B2": {"doors": (DoorMark("B2", "pending"),)},
    "door:B2 sent only": {"doors": (DoorMark("B2", "done", kit.after(9)),)},
    "door:B2 unseen": {"doors": (DoorMark("B2", "cannot-see"),)},
    "mark:denied": {"marks": replace(kit.ending().marks, denied=None)},
    "mark:received": {"marks": replace(kit.ending().marks, received=None)},
    "late-read": {"marks": replace(kit.ending().marks, last_read=kit.after(7.001))},
    "proof": {"proof": None},
    "proof let in": {"proof": changed(kit.good_proof(), ("attempts", 0, "answer"), "let-in")},
    "proof absent": {"proof": changed(kit.good_proof(), ("attempts", 1), ABSENT)},
    "proof untried": {"proof": changed(kit.good_proof(), ("attempts", 3, "answer"), "untried")},
    "proof found": {"proof": changed(kit.good_proof(), ("scans", 1, "found"), [FOUND])},
    "proof holding": {"proof": changed(kit.good_proof(), ("scans", 0, "holding"), [9])},
    "proof outrun": {"proof": changed(kit.good_proof(), ("scans", 0, "complete"), False)},
    "proof one look": {"proof": {**kit.good_proof(), "scans": kit.good_proof()["scans"][:1]}},
    "proof root not tried": {"proof": {**kit.good_proof(), "attempts": kit.good_proof()["attempts"][:2]}},
    "proof area left out": {"proof": {**kit.good_proof(), "areas": 2}},
    "proof unreached": {"proof": {**kit.good_proof(), "unreached": ["x"]}},
    "proof untouched": {"proof": {**kit.good_proof(), "untouched": [33]}},
}  # fmt: skip


@pytest.mark.parametrize("name", INCOMPLETE)
def test_what_is_open_makes_a_receipt_not_complete(name: str) -> None:
    word = name.split(" ")[0]
    payload = build(kit.ending(**INCOMPLETE[name]), SIGNER.fingerprint, kit.ISSUED)
    body = json.loads(payload)
    assert word in body["open"]
    assert body["complete"] is False
    report = verify(signed(payload, SIGNER), PUBLIC)
    assert report.genuine
    assert not report.complete
    assert word in report.left
    assert "NOT COMPLETE" in page(body, "en").splitlines()[1]
    assert "未完成" in page(body, "zh").splitlines()[1]
    lying = seal({**body, "open": [], "complete": True})
    assert not verify(lying, PUBLIC).genuine


def test_what_cannot_be_seen_is_listed_and_not_counted_as_done() -> None:
    unseen = StepRecord(
        "nfs", Text("NFS clients", "NFS 客户端"), "cannot-see", Text("on other hosts", "在其他主机"), {}
    )
    body = json.loads(build(kit.ending(steps=(unseen,)), SIGNER.fingerprint, kit.ISSUED))
    [line] = [line for line in page(body, "en").splitlines() if line.startswith("  NFS clients")]
    assert "cannot see" in line
    assert "- NFS clients: on other hosts" in page(body, "en")
    assert "- NFS 客户端：在其他主机" in page(body, "zh")


def test_facts_of_the_proof_step_are_the_proof() -> None:
    step = StepRecord("proof", Text("proof", "证明"), "confirmed", Text("", ""), kit.good_proof())
    body = json.loads(build(kit.ending(steps=(step,), proof=None), SIGNER.fingerprint, kit.ISSUED))
    assert body["proof"] == kit.good_proof()
    assert body["complete"] is True


def test_a_denial_with_the_wrong_error_is_not_believed() -> None:
    claimed = changed(body_of(GOOD), ("proof", "attempts", 0, "error"), "ENOENT")
    assert not verify(seal(claimed), PUBLIC).genuine


HOSTILE = "张\x1b[2J\u202e三\ud800\n"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_foreign_text_cannot_act_on_a_page(language: Language) -> None:
    steps = (StepRecord(HOSTILE, Text(HOSTILE, HOSTILE), "done", Text(HOSTILE, HOSTILE), {HOSTILE: [HOSTILE, 0.5]}),)
    approvers = (kit.signatory(HOSTILE, HOSTILE, None, opinion=HOSTILE, key=HOSTILE),)
    made = kit.ending(host=HOSTILE, person=HOSTILE, reference=HOSTILE, approvers=approvers, steps=steps)
    receipt = signed(build(made, SIGNER.fingerprint, kit.ISSUED), SIGNER)
    shown = report_page(verify(receipt, PUBLIC), language)
    assert verify(receipt, PUBLIC).complete
    assert all(char.isprintable() or char == "\n" for char in shown)
    raw = {
        **body_of(receipt),
        "person": HOSTILE,
        "open": [HOSTILE],
        "complete": False,
        "cause": HOSTILE,
        "key": HOSTILE,
    }
    assert all(char.isprintable() or char == "\n" for char in page(raw, language))


def test_chinese_columns_line_up() -> None:
    def cells(text: str) -> int:
        return sum(1 if ord(char) < 0x1100 else 2 for char in text)

    shown = page(body_of(GOOD), "zh").splitlines()
    begin = next(index for index, line in enumerate(shown) if line.startswith("时间线"))
    assert len({cells(line[: line.index("2026-")]) for line in shown[begin + 2 : begin + 8]}) == 1


def test_both_pages_say_the_same_numbers() -> None:
    english, chinese = page(body_of(GOOD), "en"), page(body_of(GOOD), "zh")
    for text in ("6.5", "12.0", "40.0", SIGNER.fingerprint, "HR-2026-17", "EPERM", "B2"):
        assert text in english
        assert text in chinese
    assert len(english.splitlines()) == len(chinese.splitlines())


def test_the_key_is_made_once_for_root_alone(tmp_path: Path) -> None:
    path = key_path(tmp_path)
    first = Signer.at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["agent-key.pem"]
    assert Signer.at(path).fingerprint == first.fingerprint


@pytest.mark.parametrize("harm", ["readable", "link", "directory", "junk", "fifo"])
def test_a_key_file_others_may_have_had_is_refused(tmp_path: Path, harm: str) -> None:
    path = key_path(tmp_path)
    Signer.at(path)
    if harm == "readable":
        path.chmod(0o640)
    elif harm == "junk":
        path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nnone\n")
    else:
        moved = path.rename(tmp_path / "elsewhere")
        {"link": lambda: path.symlink_to(moved), "directory": path.mkdir, "fifo": lambda: os.mkfifo(path, 0o600)}[
            harm
        ]()
    with pytest.raises(RefusedError):
        Signer.at(path)


def test_receipts_are_kept_in_a_chain_and_never_written_over(tmp_path: Path) -> None:
    pending = kit.ending(steps=(PENDING,))
    first = issue(tmp_path, pending, kit.ISSUED)
    before = first.read_bytes()
    second = issue(tmp_path, kit.ending(), kit.after(61_000))
    other = issue(tmp_path, kit.ending(case="C000002"), kit.ISSUED)
    assert kept(receipts_folder(tmp_path), "C000001") == [first, second]
    assert kept(receipts_folder(tmp_path)) == [first, second, other]
    assert first.read_bytes() == before
    assert body_of(second.read_bytes())["previous"] == hashlib.sha256(before).hexdigest()
    public = Signer.at(key_path(tmp_path)).public_pem()
    assert [verify(path.read_bytes(), public).complete for path in (first, second, other)] == [False, True, True]
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_a_receipt_with_nothing_new_is_the_one_there_is(tmp_path: Path) -> None:
    first = issue(tmp_path, kit.ending(), kit.ISSUED)
    proof = changed(kit.good_proof(), ("scans", 1, "at"), "2026-03-03T12:00:00.000000Z")
    tried_again = {"count": 4, "first": 91, "last": 94}  # the same proof, made once more
    assert issue(tmp_path, kit.ending(proof=proof, own_entries=tried_again), kit.after(60_000)) == first
    first.write_bytes(b"torn")
    assert issue(tmp_path, kit.ending(), kit.after(60_000)) != first


def test_receipts_issued_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda n: issue(tmp_path, kit.ending(reference=f"HR-{n}"), kit.ISSUED), range(12)))
    assert sorted(paths) == kept(receipts_folder(tmp_path), "C000001")
    assert len(set(paths)) == 12
    assert sorted(os.listdir(tmp_path)) == ["agent-key.pem", "receipts"]
    public = Signer.at(key_path(tmp_path)).public_pem()
    bodies = [body_of(path.read_bytes()) for path in sorted(paths) if verify(path.read_bytes(), public).complete]
    assert len({body["previous"] for body in bodies}) == 12


def test_a_case_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    for case in ("", "..", "a/b", "*", "C1\n"):
        with pytest.raises(RefusedError):
            issue(tmp_path, kit.ending(case=case), kit.ISSUED)


def test_any_ed25519_tool_can_check_the_signature(tmp_path: Path) -> None:
    payload, line, _ = GOOD.split(b"\n")
    (tmp_path / "payload").write_bytes(payload)
    (tmp_path / "signature").write_bytes(base64.b64decode(json.loads(line)["signature"]))
    (tmp_path / "key.pem").write_bytes(PUBLIC)
    files = ["-inkey", "key.pem", "-in", "payload", "-sigfile", "signature"]
    assert (
        subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", *files],
            cwd=tmp_path,
            capture_output=True,
            timeout=30,
            check=False,
        ).returncode
        == 0
    )


def test_a_float_is_written_one_way_and_an_object_not_at_all() -> None:
    assert canonical({"b": 0.1, "a": (1, None)}) == b'{"a":[1,null],"b":"0.1"}'
    with pytest.raises(TypeError):
        canonical(object())


def test_marks_without_a_receipt_have_no_spans() -> None:
    body = json.loads(build(kit.ending(marks=Marks(None, None, None, None)), SIGNER.fingerprint, kit.ISSUED))
    assert {row["after_us"] for row in body["timeline"]} == {None}
    assert body["open"] == ["mark:received", "mark:durable", "mark:denied"]
