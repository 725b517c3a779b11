"""A spool with far more names than a sweep can look at: what is real is taken up at once, and nothing is lost."""

import os
import time
from datetime import timedelta

import pytest

from agent.offboard.intake import wrong_budget
from agent.offboard.intake.inbox import FILING, LOOKING
from agent.offboard.intake.turns import AGAIN, NEWEST, OLDEST, Turns
from tests.offboard.intake.signing import departure, right, small
from tests.offboard.intake.site import KEYS, NOW, Site
from tests.sentences import en

HEAP = 100_000


def heap(site, many, contents, kind="wrong"):
    site.new.mkdir(exist_ok=True)
    for number in range(many):
        descriptor = os.open(site.new / f"{kind} {number:06d}.set", os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, contents)
        os.close(descriptor)


@pytest.mark.long
@pytest.mark.parametrize("contents", [b"nothing", None], ids=["wrong", "replayed"])
def test_beside_a_hundred_thousand_names_the_next_sweep_takes_up_a_real_notice(tmp_path, contents):
    with Site(tmp_path) as site:
        site.looking, site.filing = LOOKING, FILING
        site.reopen()
        if contents is None:
            site.drop(contents := small().encode(), "first")
            site.sweep()
            contents = small().encode()
        heap(site, HEAP, contents)
        for _ in range(3):
            site.sweep()
        handed = len(site.handed)
        site.drop(right(), "real")
        began = time.monotonic()
        site.sweep()
        print(f"one sweep beside {HEAP} names: {time.monotonic() - began:.3f} s")
        assert [notice.subject for notice in site.handed[handed:]] == ["E1001"]
        assert site.inbox.more
        assert site.kept() == HEAP + 1 + handed


def test_a_real_notice_is_taken_up_in_the_first_sweep_after_it_came_and_nothing_of_a_heap_is_lost(tmp_path):
    with Site(tmp_path) as site:
        site.filing = 0.01
        site.reopen()
        heap(site, 1500, b"nothing")
        site.sweep()
        site.drop(right(), "aaa: first by name")
        site.sweep()
        site.drop(right(departure("E2", txn="2")), "zzz: last by name")
        site.sweep()
        assert [notice.subject for notice in site.handed] == ["E1001", "E2"]
        site.filing = 60.0
        site.reopen()
        while site.filed("new"):
            site.sweep()
        assert len(site.filed("rejected")) == 3000
        assert len(site.handed) == 2
        assert site.kept() == 1502


def test_wrong_files_of_one_user_beyond_a_number_stay_where_they_are_and_the_alarm_names_who(tmp_path, monkeypatch):
    monkeypatch.setattr(wrong_budget, "AT_ONCE", 20)
    with Site(tmp_path) as site:
        heap(site, 60, b"nothing")
        for _ in range(4):
            site.sweep()
        assert len(site.filed("rejected")) == 40  # twenty, each with its reason
        assert len(site.filed("new")) == 40
        assert not site.inbox.more
        [told] = [text for word, text in site.troubles if word.startswith("spool-crowded")]
        assert f"user {os.getuid()} " in en(told)
        site.drop(right(), "real")
        site.sweep()
        assert [notice.subject for notice in site.handed] == ["E1001"]
        later = NOW
        while site.filed("new"):
            later += timedelta(minutes=1)
            site.sweep(later)
        assert site.kept() == 61


def test_what_was_acted_on_and_not_yet_put_away_is_not_acted_on_again(tmp_path):
    pinned = KEYS / "hr-keys.json"
    with Site(tmp_path, pinned=pinned.read_bytes()) as site:
        site.filing = 0.0
        site.reopen()
        for number in range(5):
            site.drop(right(departure(f"E{number}", txn=str(number))), str(number))
        swept = [len(site.sweep()) for _ in range(5)]
        assert swept == [1] * 5
        assert [notice.subject for notice in site.handed] == [f"E{number}" for number in range(5)]
        assert [done.reason for done in site.noted] == ["accepted"] * 5
        assert not site.inbox.more


def test_turns_are_bounded_and_everybody_has_one(tmp_path):
    (tmp_path / "under way.tmp").touch()
    for number in range(2000):
        (tmp_path / f"{number:04d}").touch()
    turns, seen = Turns(lambda name: not name.endswith(".tmp")), set()

    def take():
        taken = turns.take(set(os.listdir(tmp_path)), lambda name: (tmp_path / name).stat().st_ctime_ns)
        for name in taken:
            turns.mark_read(name)
        return taken

    first = take()
    assert len(first) == NEWEST + OLDEST
    seen.update(first)
    for _ in range(5):
        turn = take()
        assert len(turn) <= NEWEST + OLDEST + AGAIN
        assert len(set(turn)) == len(turn)
        seen.update(turn)
    assert len(seen) == 2000
    (tmp_path / "0000").write_text("changed")
    (tmp_path / "new").touch()
    assert set(take()[:2]) == {"0000", "new"}
    (tmp_path / "0001").unlink()
    take()
    assert "0001" not in turns
    turns.over("0002")  # put away, and another one of that name is there at once
    assert take()[0] == "0002"
