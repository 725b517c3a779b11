"""What every entry begins with, and what is said of those that could not be written."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from agent.guard.journal import EntryJournal
from agent.guard.judged_time import JudgedTime
from agent.log import append
from agent.log.append import Appender
from agent.log.unwritable import LogUnwritableError
from agent.log.verify import verify
from agent.runtime.clock import AgentClock, instant
from tests import needs
from tests.log.disk import filled, loop_mounted, make_image
from tests.runtime.clocks import DAY, HOUR, SECOND, Clocks
from tests.sentences import en


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir(mode=0o700)
    return tmp_path / "log"


@pytest.fixture
def appender(folder, monkeypatch) -> Iterator[Appender]:
    monkeypatch.setattr(append, "_LOOK", 0.0)
    monkeypatch.setattr(append, "_AGAIN", 0.0)
    with Appender(folder, "process") as made:
        yield made


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(one) for file in sorted(folder.glob("*.jsonl")) for one in file.read_bytes().splitlines()]


def opened(number: int) -> bytes:
    return b'"kind":"access","ino":%d' % number


def microseconds(stamp: object) -> datetime:
    return datetime.fromisoformat(str(stamp))


def test_every_entry_begins_with_number_time_boot_time_and_boot(folder, appender) -> None:
    clocks = Clocks(wall=1_780_000_000_123_456_789)
    clock = clocks.agent()
    journal = EntryJournal(appender, clock, "here")
    clock.now()
    assert journal.accesses([opened(1), opened(2)])
    clocks.wait(SECOND)
    assert journal.write({"kind": "act"}) == 3
    for entry in entries(folder):
        assert list(entry)[:4] == ["seq", "time", "mono", "boot"]
        assert entry["boot"] == clock.boot_id[:8]
    assert [entry["mono"] for entry in entries(folder)] == [18_000_000_000, 18_000_000_000, 18_001_000_000]
    assert entries(folder)[0]["time"] == "2026-05-28T20:26:40.123456Z"
    assert list(entries(folder)[2])[4:] == ["host", "kind"]


def test_a_caller_cannot_give_them(appender) -> None:
    journal = EntryJournal(appender, AgentClock(), "here")
    for name in ("seq", "time", "mono", "boot", "judged"):
        with pytest.raises(ValueError, match="not for the caller"):
            journal.write({"kind": "act", name: 1})


def test_a_clock_that_is_wrong_for_a_while_leaves_right_stamps_and_its_steps(folder, appender) -> None:
    clocks = Clocks()
    clock = clocks.agent()
    journal = EntryJournal(appender, clock, "here")
    forgotten: list[int] = []
    moment = JudgedTime(clock, journal, None, lambda: forgotten.append(journal.next_seq))
    begin = clocks.wall
    clocks.wait(HOUR)
    for ahead in (0, 3650 * DAY, -3650 * DAY, -DAY, DAY):
        clocks.wait(SECOND)
        clocks.wall += ahead
        moment.now()
        assert journal.accesses([opened(journal.next_seq)])
    found = entries(folder)
    assert [entry["kind"] for entry in found] == ["access", "clock", "access", "clock", "access", "clock", "access",
                                                  "clock", "access"]  # fmt: skip
    away, back, behind, caught_up = (entry for entry in found if entry["kind"] == "clock")
    assert [one["accepted"] for one in (away, back, behind, caught_up)] == ["forward", "returned", False, "forward"]
    assert [one["offset"] for one in (away, back, behind, caught_up)] == [3650 * 86_400.0, -3650 * 86_400.0,
                                                                           -86_400.0, 86_400.0]  # fmt: skip
    assert microseconds(back["to"]) == instant(begin + HOUR + 3 * SECOND)
    assert microseconds(back["judged_to"]) == microseconds(back["to"])
    assert microseconds(behind["judged_to"]) == instant(begin + HOUR + 4 * SECOND)
    times = [microseconds(entry["time"]) for entry in found if entry["kind"] == "access"]
    assert times[2] == instant(begin + HOUR + 3 * SECOND)  # right again
    assert times[4] == instant(begin + HOUR + 5 * SECOND)
    assert ["judged" in entry for entry in found] == [False] * 5 + [True, True, False, False]
    assert microseconds(found[6]["judged"]) == instant(begin + HOUR + 4 * SECOND)
    assert forgotten == [2, 4]  # before anything was decided for the new time
    assert verify(folder).ok


def test_what_could_not_be_written_is_counted_with_since_and_why_and_owed_entries_follow(folder, appender) -> None:
    clocks = Clocks()
    clock = clocks.agent()
    journal = EntryJournal(appender, clock, "here")
    clock.now()
    assert journal.accesses([opened(1)])
    folder.rename(folder.with_name("away"))
    since = instant(clocks.wall)
    for count in (2, 3):
        assert not journal.accesses([opened(2)] * count)
        clocks.wait(HOUR)
        clock.now()
    with pytest.raises(LogUnwritableError):
        journal.write({"kind": "act"})
    journal.owe({"kind": "started"})
    folder.with_name("away").rename(folder)
    assert journal.accesses([opened(3)])
    assert journal.write({"kind": "act"}) == 5
    assert [entry["kind"] for entry in entries(folder)] == ["access", "gap", "started", "access", "act"]
    gap = entries(folder)[1]
    assert (gap["count"], microseconds(gap["since"])) == (5, since)
    assert "another folder" in en(gap["why"])
    assert verify(folder).ok


def test_a_gap_names_the_entries_that_are_gone(folder, appender) -> None:
    journal = EntryJournal(appender, AgentClock(), "here")
    assert journal.accesses([opened(1), opened(2)])
    max(folder.glob("*.jsonl")).unlink()
    with pytest.raises(LogUnwritableError):
        journal.write({"kind": "act"})
    assert journal.write({"kind": "act"}) == 4
    gap, act = entries(folder)
    assert (gap["seq"], gap["kind"], gap["count"]) == (3, "gap", 0)
    assert (gap["missing_from"], gap["missing_to"]) == (1, 2)
    assert "deleted" in en(gap["why"])
    assert act["kind"] == "act"


def test_what_was_put_aside_is_said_once(folder, appender) -> None:
    journal = EntryJournal(appender, AgentClock(), "here")
    assert journal.accesses([opened(1)])
    with max(folder.glob("*.jsonl")).open("ab") as file:
        file.write(b"junk")
    assert not journal.accesses([opened(2)])
    assert journal.accesses([opened(3)])
    assert [entry["kind"] for entry in entries(folder)] == ["access", "recovered", "gap", "access"]
    assert entries(folder)[1]["bytes"] == 4


@pytest.mark.kernel
@needs.small_disk
@pytest.mark.xdist_group("log disk")
def test_denied_opens_on_a_full_disk_use_nothing_of_what_is_kept_for_acts(tmp_path: Path) -> None:
    make_image(tmp_path / "image", "24M", "-b", "1024")
    with loop_mounted(tmp_path / "image", tmp_path / "disk") as folder, Appender(folder, "process") as appender:
        journal = EntryJournal(appender, AgentClock(), "here")
        assert journal.accesses([opened(0)])
        ballast = filled(folder)
        many = [opened(number) for number in range(64)]
        while journal.accesses(many):
            pass
        before = appender.next_seq
        for _ in range(1_500):  # by a gap for each, which is an entry of its own, what is kept would be gone
            assert not journal.accesses(many)
        assert appender.next_seq == before
        for number in range(200):
            assert journal.write({"kind": "act", "act": "hold.add", "number": number})
            assert not journal.accesses(many)
        ballast.unlink()
        assert journal.accesses(many)
        gaps = [entry for entry in entries(folder) if entry["kind"] == "gap"]
        assert sum(int(str(gap["count"])) for gap in gaps) == 64 * 1_701
        assert "No space left" in str(gaps[0]["why"])
