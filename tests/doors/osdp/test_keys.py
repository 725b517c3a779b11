"""The file of keys: never readable by others, never half, never a key too few."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.doors.address import parse
from agent.doors.osdp.keys import KeyStore, fingerprint
from agent.doors.osdp.plan import DEFAULT_KEY, ReaderPlan, by_line
from agent.errors import RefusedError
from tests import needs

HERE, THERE = "osdp+tcp://127.0.0.1:4001/1", "osdp+tcp://127.0.0.1:4001/2"


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "osdp-keys.json")


def test_every_reader_has_a_key_of_its_own(keys: KeyStore, tmp_path: Path) -> None:
    first, second = keys.begin(HERE), keys.begin(THERE)
    assert len(first) == len(second) == 16
    assert first != second
    assert keys.all() == {HERE: (first,), THERE: (second,)}
    assert (tmp_path / "osdp-keys.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["osdp-keys.json"]


def test_both_keys_are_kept_until_the_reader_answered_under_one(keys: KeyStore, tmp_path: Path) -> None:
    old = keys.begin(HERE)
    assert keys.settle(HERE, fingerprint(old))
    new = keys.begin(HERE)
    again = KeyStore(tmp_path / "osdp-keys.json")  # the agent was killed between the file and the reader
    assert again.candidates(HERE) == (old, new)
    with pytest.raises(RefusedError, match=r"doors.key-change-unconfirmed"):
        again.begin(HERE)
    assert again.settle(HERE, fingerprint(new))
    assert again.candidates(HERE) == (new,)


def test_a_reader_that_kept_its_old_key_settles_that_one(keys: KeyStore) -> None:
    old, new = keys.begin(HERE), keys.begin(HERE)
    assert keys.settle(HERE, fingerprint(old))
    assert keys.candidates(HERE) == (old,)
    assert not keys.settle(HERE, fingerprint(new))


def test_a_reader_that_is_dropped_has_no_key(keys: KeyStore) -> None:
    keys.begin(HERE)
    keys.drop(HERE)
    assert keys.all() == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_others_could_touch_is_refused(keys: KeyStore, tmp_path: Path, mode: int) -> None:
    keys.begin(HERE)
    (tmp_path / "osdp-keys.json").chmod(mode)
    with pytest.raises(RefusedError, match=r"doors.key-file-exposed"):
        keys.all()
    with pytest.raises(RefusedError):
        keys.begin(HERE)


@needs.root
def test_a_file_of_somebody_else_and_a_link_are_refused(keys: KeyStore, tmp_path: Path) -> None:
    keys.begin(HERE)
    path = tmp_path / "osdp-keys.json"
    os.chown(path, 61_950, 61_950)
    with pytest.raises(RefusedError, match=r"doors.key-file-rejected.*receipt.key-file-not-regular"):
        keys.all()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError):
        keys.all()


@pytest.mark.parametrize("text", ["", "[]", '{"a": "00"}', '{"a": []}', '{"a": ["00"]}', '{"a": ["zz"]}', '{"a": 5}'])
def test_a_damaged_file_is_refused_and_left_alone(keys: KeyStore, tmp_path: Path, text: str) -> None:
    path = tmp_path / "osdp-keys.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(RefusedError, match=r"doors.key-file-damaged"):
        keys.begin(HERE)
    assert path.read_text() == text


def test_a_write_that_fails_leaves_the_old_file(
    keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = keys.begin(HERE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RefusedError, match=r"doors.key-file-rejected.*No space left"):
        keys.begin(HERE)
    monkeypatch.undo()
    assert keys.candidates(HERE) == (old,)
    assert [path.name for path in tmp_path.iterdir()] == ["osdp-keys.json"]
    assert json.loads((tmp_path / "osdp-keys.json").read_text()) == {HERE: [old.hex()]}


def test_the_fingerprint_gives_no_key_away() -> None:
    assert fingerprint(bytes(16)) == "374708fff7719dd5"
    assert fingerprint(bytes(16)) not in bytes(16).hex()


def test_the_keys_need_no_libosdp() -> None:
    code = "import sys, agent.doors.osdp.keys; sys.exit('osdp_sys' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def plan(address: str, key: bytes) -> ReaderPlan:
    return ReaderPlan(parse(address), "d", "in", (key,))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(16), b"\xff" * 16, DEFAULT_KEY])
def test_what_is_no_key_or_everybodys_is_refused(key: bytes) -> None:
    with pytest.raises(RefusedError, match=r"doors.reader-key-invalid.*4001/1"):
        by_line([plan(HERE, key)])


def test_a_reader_without_a_key_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"doors.reader-without-key.*4001/1"):
        by_line([ReaderPlan(parse(HERE), "d", "in", ())])  # type: ignore[arg-type]


def test_thirty_three_readers_on_one_line_are_too_many_and_on_two_are_not() -> None:
    def numbered(count: int, port: int) -> list[ReaderPlan]:
        return [plan(f"osdp+tcp://127.0.0.1:{port}/{n}", port.to_bytes(15, "big") + bytes([n])) for n in range(count)]

    with pytest.raises(RefusedError, match=r"doors.line-full.*most_readers=32"):
        by_line(numbered(33, 4001))
    assert [len(found) for found in by_line([*numbered(32, 4001), *numbered(1, 4002)]).values()] == [32, 1]


def test_one_reader_twice_one_key_twice_and_one_port_at_two_speeds_are_refused() -> None:
    key, other = bytes(range(16)), bytes(range(1, 17))
    with pytest.raises(RefusedError, match=r"doors.reader-duplicate.*4001/1"):
        by_line([plan(HERE, key), plan(HERE, other)])
    with pytest.raises(RefusedError, match=r"doors.reader-key-shared.*4001/1.*4001/2"):
        by_line([plan(HERE, key), plan(THERE, key)])
    with pytest.raises(RefusedError, match=r"doors.port-speed-conflict"):
        by_line([plan("osdp+serial:///dev/ttyS0#1", key), plan("osdp+serial:///dev/ttyS0?baud=19200#2", other)])


def test_a_plan_does_not_print_its_keys() -> None:
    key = bytes(range(16))
    assert key.hex() not in repr(plan(HERE, key))
    assert repr(key) not in repr(plan(HERE, key))
