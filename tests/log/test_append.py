"""The appender: a batch is in the log or it is not, and opening finds out where the log ends (contracts C2 and C7)."""

import os
import resource
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import FatalError, RefusedError
from agent.log import segments
from agent.log.append import Appender
from agent.log.unwritable import LogFullError, LogLockedError, LogUnwritableError
from agent.log.verify import verify
from tests import needs
from tests.log.samples import BEGIN, line, numbers, record, write_plain
from tests.sentences import en, zh

MODES = pytest.mark.parametrize("durability", ["power", "process"])


def sides(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("torn-*.bin"))]


@MODES
def test_a_log_begins_with_one_and_goes_on_after_reopening(folder, durability):
    for first in (1, 4, 7):
        with Appender(folder, durability) as log:
            assert log.next_seq == first
            log.append([line(first), line(first + 1)])
            log.append([line(first + 2)])
            assert log.next_seq == first + 3
    assert record(folder) == [line(n) for n in range(1, 10)]
    assert verify(folder).ok


def test_the_time_of_the_last_entry_is_the_mark_that_later_ones_must_not_fall_behind(folder):
    with Appender(folder, "process") as log:
        assert log.last_time is None
        log.append([line(1, BEGIN), line(2, BEGIN + timedelta(hours=1))])
    with Appender(folder, "process", segment_bytes=1) as log:
        assert log.last_time == BEGIN + timedelta(hours=1)


def test_a_full_segment_is_followed_by_one_named_after_its_first_entry(folder):
    write_plain(folder, 10, segment_bytes=400)
    found = segments.listing(folder)
    assert [segment.first for segment in found] == [1, 4, 7, 10]
    assert numbers(folder) == list(range(1, 11))


def test_an_empty_last_segment_is_used_and_the_time_comes_from_the_one_before(folder):
    write_plain(folder, 3)
    (folder / segments.name(4)).touch(0o600)
    with Appender(folder, "process") as log:
        assert (log.next_seq, log.last_time) == (4, BEGIN + timedelta(seconds=2))
        log.append([line(4)])
    assert verify(folder).ok


@pytest.mark.parametrize(
    "batch",
    [
        [],
        [line(2)],
        [line(1), line(3)],
        [line(1), line(2) + b"\n"],
        [b'{"seq":1,\n"time":""}'],
        [b'{"seq":1,' + b"x" * segments.MAX_RECORD],
        [line(1), b""],
    ],
    ids=["empty", "number", "later number", "newline behind", "newline within", "long", "empty line"],
)
def test_lines_that_would_break_the_log_are_not_written(folder, batch):
    with Appender(folder, "process") as log:
        with pytest.raises(ValueError):
            log.append(batch)
        assert log.next_seq == 1
        log.append([line(1)])
    assert record(folder) == [line(1)]


def test_a_batch_larger_than_one_record_may_be_is_written(folder):
    with Appender(folder, "process") as log:
        log.append([line(n, args="x" * 60_000) for n in range(1, 5)])
    assert verify(folder).entries == 4


def test_a_torn_tail_of_every_length_is_put_aside_and_the_entries_stay(folder):
    write_plain(folder, 2)
    (file,) = folder.glob("*.jsonl")
    whole = file.read_bytes()
    torn = line(3)
    for length in range(1, len(torn) + 1):
        file.write_bytes(whole + torn[:length])
        with Appender(folder, "process") as log:
            assert (log.recovered, log.next_seq) == (length, 3)
        assert file.read_bytes() == whole
    assert sides(folder)[0] == torn[:1]
    assert {len(side) for side in sides(folder)} == set(range(1, len(torn) + 1))


@pytest.mark.parametrize(
    "junk",
    [
        b"\0" * 5000,
        b"\n\n\n",
        b"\0\n",
        b"{}\n{}\n",
        b'{"seq":3,"time":"2026-03-01T08:00:03.000000Z","p":\n',
        b"x" * 900_000,
    ],
    ids=["zeros", "newlines", "zero line", "no entries", "half an entry", "large"],
)
def test_whatever_is_no_entry_at_the_end_is_put_aside(folder, junk):
    write_plain(folder, 2)
    (file,) = folder.glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole + junk)
    with Appender(folder, "power") as log:
        assert (log.recovered, log.next_seq) == (len(junk), 3)
        log.append([line(3)])
    assert sides(folder) == [junk]
    assert numbers(folder) == [1, 2, 3]


def test_an_entry_longer_than_the_first_look_back_is_found(folder):
    with Appender(folder, "process") as log:
        log.append([line(1, args="x" * 65_000), line(2)])
    (file,) = folder.glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b"y" * 131_000)
    with Appender(folder, "process") as log:
        assert log.next_seq == 3


def test_a_last_number_that_cannot_be_right_stops_the_agent(folder):
    (folder / segments.name(1)).write_bytes(line(9_999_999_999) + b"\n")
    with pytest.raises(FatalError, match=r"log.segment-numbers-inconsistent"):
        Appender(folder, "process")
    (folder / segments.name(1)).rename(folder / segments.name(10_000_000_000))
    with pytest.raises(FatalError, match=r"log.segment-numbers-inconsistent"):
        Appender(folder, "process")


def test_a_second_appender_is_told_so_until_the_first_has_let_go(folder):
    with (
        Appender(folder, "process"),
        pytest.raises(LogLockedError, match=r"log.locked-by-another-process") as locked,
    ):
        Appender(folder, "process")
    assert isinstance(locked.value, LogUnwritableError)
    Appender(folder, "process").close()


@MODES
def test_a_batch_that_does_not_fit_leaves_no_trace_and_the_next_one_works(folder, durability):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Appender(folder, durability) as log:
        log.append([line(1)])
        before = (folder / segments.name(1)).read_bytes()
        try:
            for room in range(2 * len(line(2)) + 1):  # every length of a short write, none at all included
                resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, hard))
                with pytest.raises(LogFullError) as full:
                    log.append([line(2), line(3)])
                assert (folder / segments.name(1)).read_bytes() == before
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert full.value.hint
        assert en(full.value.text) != zh(full.value.text)
        log.append([line(2), line(3)])
    assert verify(folder).ok
    assert numbers(folder) == [1, 2, 3]


def test_running_out_of_descriptors_at_the_end_of_a_segment_fails_the_batch_only(folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Appender(folder, "process", segment_bytes=1) as log:
        log.append([line(1)])
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
            with pytest.raises(LogUnwritableError):
                log.append([line(2)])
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        log.append([line(2)])
    assert numbers(folder) == [1, 2]


def test_a_closed_log_takes_nothing(folder):
    log = Appender(folder, "process")
    log.close()
    log.close()
    with pytest.raises(FatalError):
        log.append([line(1)])


def assert_refused(folder: Path, saying: str) -> None:
    with pytest.raises(RefusedError, match=saying) as refused:
        Appender(folder, "process")
    assert refused.value.hint
    assert en(refused.value.text) != zh(refused.value.text)


def test_a_missing_folder_is_refused(tmp_path):
    assert_refused(tmp_path / "nowhere", r"log.folder-missing")


def test_a_folder_that_is_a_link_or_a_file_is_refused(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert_refused(tmp_path / "link", r"log.folder-unusable")
    (tmp_path / "file").touch()
    assert_refused(tmp_path / "file", r"log.folder-unusable")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_others_can_write_to_is_refused(folder, mode):
    folder.chmod(mode)
    assert_refused(folder, r"log.folder-writable-by-others")


@needs.root
def test_a_folder_of_somebody_else_is_refused(folder):
    os.chown(folder, 61001, 61001)
    assert_refused(folder, r"log.folder-writable-by-others")


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
@pytest.mark.parametrize("name", [segments.name(1), ".lock"])
def test_anything_but_a_plain_file_in_its_place_is_refused(folder, tmp_path, kind, name):
    match kind:
        case "link":
            (tmp_path / "elsewhere").touch()
            (folder / name).symlink_to(tmp_path / "elsewhere")
        case "fifo":
            os.mkfifo(folder / name)
        case "folder":
            (folder / name).mkdir()
    assert_refused(folder, r"log.file-not-regular")


def test_nobody_else_can_read_the_record(folder):
    write_plain(folder, 1)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
