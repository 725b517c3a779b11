"""What the disk does to the log: a power cut, no space, an error on the way to the disk. On real small filesystems."""

import contextlib
import shutil
import sqlite3

import pytest

from agent.log.append import Appender
from agent.log.index import Indexer
from agent.log.search import Filter, query
from agent.log.unwritable import LogFullError
from agent.log.verify import verify
from tests import needs
from tests.log.disk import cut_power, loop_mounted, make_image, memory_mounted
from tests.log.samples import line, numbers, write_plain

pytestmark = [
    pytest.mark.kernel,
    needs.small_disk,
    pytest.mark.xdist_group("log disk"),
]


def append_for_ever(log, batch, **fields):
    while True:
        log.append([line(log.next_seq + n, **fields) for n in range(batch)])


def test_no_acknowledged_entry_is_lost_in_a_power_cut(tmp_path):
    for turn, acknowledgements in enumerate((1, 40, 300, 700)):
        last, found = cut_power(tmp_path, f"cut{turn}", "power", 30_000, acknowledgements)
        assert found >= last > 0


def test_what_an_acknowledged_entry_follows_survives_with_it_even_if_another_mode_wrote_it(tmp_path):
    image, copy = tmp_path / "image", tmp_path / "copy"
    make_image(image, "24M")
    with loop_mounted(image, tmp_path / "before") as folder:
        write_plain(folder, 50)
        with Appender(folder, "power", segment_bytes=1) as log:
            log.append([line(log.next_seq)])
            shutil.copyfile(image, copy)
    with loop_mounted(copy, tmp_path / "after") as folder:
        assert numbers(folder) == list(range(1, 52))


def test_the_cut_is_a_real_one_because_the_other_mode_does_lose_entries(tmp_path):
    last, found = cut_power(tmp_path, "cut", "process", 64 << 20, 300)
    assert found < last


@pytest.mark.parametrize("durability", ["power", "process"])
def test_a_full_disk_fails_the_batch_leaves_the_log_valid_and_is_over_when_there_is_space(tmp_path, durability):
    with memory_mounted(tmp_path / "memory", "256k") as folder:
        ballast = folder.parent / "memory" / "ballast"
        ballast.write_bytes(b"x" * 100_000)
        with Appender(folder, durability, segment_bytes=50_000) as log:
            with pytest.raises(LogFullError):
                append_for_ever(log, batch=9, path="计划" * 50)
            full = log.next_seq - 1
            with pytest.raises(LogFullError):
                log.append([line(log.next_seq + n, path="计划" * 1000) for n in range(9)])
            ballast.unlink()
            assert full == log.next_seq - 1
            log.append([line(log.next_seq)])
        assert verify(folder).ok
        assert numbers(folder) == list(range(1, full + 2))


def test_an_index_that_found_no_space_goes_on_where_it_stood_when_there_is_space(tmp_path):
    (tmp_path / "log").mkdir(mode=0o700)
    write_plain(tmp_path / "log", 900)
    with Indexer(tmp_path / "log", tmp_path / "anew") as indexer:
        indexer.catch_up(60)
    expected = [row.line for row in query(tmp_path / "anew", Filter(limit=9_999))]
    with (
        memory_mounted(tmp_path / "memory", "8M") as memory,
        Indexer(tmp_path / "log", memory / "index", chunk=5_000) as indexer,
    ):
        ballast = memory / "ballast"
        ballast.write_bytes(b"x" * 8_000_000)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            indexer.catch_up(60)
        ballast.unlink()
        indexer.catch_up(60)
        assert [row.line for row in query(memory / "index", Filter(limit=9_999))] == expected


def test_a_torn_tail_on_a_full_disk_stops_the_start_and_is_kept(tmp_path):
    with memory_mounted(tmp_path / "memory", "64k") as folder:
        with Appender(folder, "process") as log:
            log.append([line(1)])
        (file,) = folder.glob("*.jsonl")
        torn = file.read_bytes() + b"y" * 6_000
        file.write_bytes(torn)
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as sink, contextlib.suppress(OSError):
            while True:
                sink.write(b"x" * 4096)
        with pytest.raises(LogFullError):
            Appender(folder, "process")
        assert file.read_bytes() == torn
        assert not list(folder.glob("torn-*"))
        ballast.unlink()
        with Appender(folder, "process") as log:
            assert (log.recovered, log.next_seq) == (6_000, 2)
