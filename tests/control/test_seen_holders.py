"""What looks have seen outlives the control process, as long as the holder that guarded the areas lives."""

import json
import os
from pathlib import Path

import pytest

from agent.control import seen_holders
from agent.control.seen_holders import SeenHolders, UncutHold

HOLD = UncutHold(7, 1, 2, 3, "plans", "C")


def test_the_next_control_process_knows_what_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "seen"
    SeenHolders(file).keep(["plans", "图纸"], [HOLD])
    found = SeenHolders(file)
    assert (found.areas, found.before) == ({"plans", "图纸"}, {HOLD})
    assert file.stat().st_mode & 0o077 == 0


def test_under_another_holder_nothing_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "seen"
    SeenHolders(file).keep(["plans"], [HOLD])
    monkeypatch.setattr(os, "getppid", lambda: 1)
    found = SeenHolders(file)
    assert (found.areas, found.before) == (frozenset(), frozenset())


@pytest.mark.parametrize("junk", ["", "null", "[]", "{}", '{"guard":1}', "[" * 70_000, '{"guard":G,"areas":["a"]}',
                                  '{"guard":G,"areas":["a"],"before":[[1]]}'])  # fmt: skip
def test_what_cannot_be_read_was_not_seen(tmp_path: Path, junk: str) -> None:
    file = tmp_path / "seen"
    SeenHolders(file).keep(["plans"], [])
    guard = json.dumps(json.loads(file.read_text())["guard"])
    file.write_text(junk.replace("G", guard))
    found = SeenHolders(file)
    assert (found.areas, found.before) == (frozenset(), frozenset())


def test_nothing_is_written_while_nothing_changes_nor_when_it_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "seen"
    seen = SeenHolders(file)
    seen.keep(["plans"], [HOLD])
    before = file.stat().st_ino
    seen.keep(["plans"], [HOLD])
    assert file.stat().st_ino == before
    monkeypatch.setattr(seen_holders, "_MOST", 1)
    seen.keep(["plans"], [HOLD, HOLD._replace(pid=8)])
    assert not file.exists()
    assert seen.areas == {"plans"}
