"""What follows from the room on a disk: a stage, the hours that are left, and what the index leaves to the log."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.log import space
from agent.log.index import Indexer, IndexRoomError
from agent.log.search import Filter, query
from agent.log.space import DiskRoom, outlook, short_for_index
from tests import needs
from tests.log.disk import filled, loop_mounted, make_image
from tests.log.samples import write_plain
from tests.sentences import en

GIB = 1 << 30
START = datetime(2026, 12, 1, tzinfo=UTC)


def seen(*rooms: tuple[float, float], whole: int = 100 * GIB) -> list[DiskRoom]:
    """Rooms, as minutes since the start and GiB free."""
    return [DiskRoom(START + timedelta(minutes=minutes), int(free * GIB), whole) for minutes, free in rooms]


@pytest.mark.parametrize(
    ("rooms", "whole", "stage", "hours"),
    [
        (seen((0, 50)), None, "good", None),
        (seen((0, 9)), None, "low", None),
        (seen((0, 2)), None, "urgent", None),
        (seen((0, 500), whole=10_000 * GIB), None, "good", None),  # a twentieth, and still a lot
        (seen((0, 51), (60, 50)), None, "good", 50.0),
        (seen((0, 51), (30, 49)), None, "low", 12.25),
        (seen((0, 60), (30, 50)), None, "urgent", 2.5),
        (seen((0, 60), (4, 50)), None, "good", None),  # too short a time to say
        (seen((0, 50), (60, 60)), None, "good", None),  # somebody made room
    ],
)
def test_a_stage_follows_from_the_part_and_from_the_hours(
    rooms: list[DiskRoom], whole: None, stage: str, hours: float | None
) -> None:
    found = outlook(rooms)
    assert (found.stage, found.hours) == (stage, hours)


@given(st.lists(st.tuples(st.integers(0, 600), st.floats(0, 100)), min_size=1, max_size=30))
def test_an_alarm_does_not_come_and_go_at_its_border_and_less_room_is_never_better(
    rooms: list[tuple[int, float]],
) -> None:
    samples: deque[DiskRoom] = deque()
    for room in seen(*sorted(rooms)):
        space.kept(samples, room)
        assert samples[-1] == room
        assert len(samples) < 3 or samples[-1].at - samples[1].at < space.LONGEST
        found = outlook(samples)
        for before in space.STAGES:
            after = outlook(samples, before)
            assert space.STAGES.index(found.stage) <= space.STAGES.index(after.stage)
            worst = max(before, found.stage, key=space.STAGES.index)
            assert space.STAGES.index(after.stage) <= space.STAGES.index(worst)
        fuller = [*list(samples)[:-1], room._replace(free=room.free // 2)]
        assert space.STAGES.index(outlook(fuller).stage) >= space.STAGES.index(found.stage)


def test_a_stage_is_left_for_a_tenth_more_than_what_led_into_it() -> None:
    assert outlook(seen((0, 10.5)), "low").stage == "low"
    assert outlook(seen((0, 10.5)), "good").stage == "good"
    assert outlook(seen((0, 11.1)), "low").stage == "good"
    assert outlook(seen((0, 3.2)), "urgent").stage == "urgent"
    assert outlook(seen((0, 3.4)), "urgent").stage == "low"


def test_another_disk_or_another_clock_begins_anew() -> None:
    samples = deque(seen((0, 50), (30, 49)))
    space.kept(samples, DiskRoom(START, 1, 2))
    assert len(samples) == 1


def test_the_index_leaves_a_part_of_the_disk_to_the_log() -> None:
    assert short_for_index(GIB, 100 * GIB) == 0
    assert short_for_index(100 << 20, 100 * GIB) == 156 << 20
    assert short_for_index(1 << 20, 16 << 20) == 0
    assert short_for_index(0, 16 << 20) == 1 << 20


@pytest.mark.kernel
@needs.small_disk
def test_an_index_that_is_made_again_stops_with_words_and_before_it_takes_the_logs_room(tmp_path: Path) -> None:
    make_image(tmp_path / "image", "24M")
    with loop_mounted(tmp_path / "image", tmp_path / "disk") as folder:
        write_plain(folder, 3_000)
        ballast = filled(folder)
        ballast.write_bytes(b"x" * (ballast.stat().st_size - (2 << 20)))
        with Indexer(folder, folder.parent / "index", chunk=5_000) as indexer:
            with pytest.raises(IndexRoomError) as stopped:
                indexer.catch_up(60)
            assert "reserved for the log" in en(stopped.value.text)
            found = space.look(folder, START)
            assert found.free > found.whole // space.INDEX_SHARE - (512 << 10)
            ballast.unlink()
            indexer.catch_up(60)
        rows = query(folder.parent / "index", Filter(limit=9_999))
        assert [json.loads(row.line)["seq"] for row in rows] == list(range(3_000, 0, -1))
