"""The verifier finds every kind of damage, and nothing where there is none."""

import json
import os
from datetime import timedelta

import pytest

from agent.log import segments
from agent.log.verify import verify
from tests import needs
from tests.log.samples import BEGIN, line, write_plain
from tests.sentences import en, zh

SEGMENT = 1_000  # bytes: a few entries


@pytest.fixture
def lines(folder):
    """The lines of the second of several segments, whose file is where the damage is done."""
    write_plain(folder, 40, SEGMENT)
    return second(folder).read_bytes().split(b"\n")[:-1]


def second(folder):
    return sorted(folder.glob("*.jsonl"))[1]


def damage(folder, lines, end=b"\n"):
    second(folder).write_bytes(b"\n".join(lines) + end)
    return verify(folder)


def kinds(report):
    assert all(en(problem.text) != zh(problem.text) for problem in report.problems)
    return [problem.kind for problem in report.problems]


def test_a_whole_log_is_whole(folder, lines):
    report = verify(folder, known_last=40)
    assert report.ok
    assert (report.entries, report.first, report.last, report.problems, report.more) == (40, 1, 40, (), 0)


def test_a_log_without_entries_is_whole(folder):
    assert verify(folder).ok
    assert verify(folder, known_last=0).ok
    assert kinds(verify(folder, known_last=1)) == ["short"]


def test_a_deleted_line(folder, lines):
    (missing,) = damage(folder, [*lines[:2], *lines[3:]]).problems
    gone = json.loads(lines[2])["seq"]
    assert (missing.kind, missing.line, missing.seq) == ("missing", 3, gone)
    assert f"{gone} to {gone}" in en(missing.text)


def test_a_deleted_first_and_a_deleted_last_line(folder, lines):
    assert kinds(damage(folder, lines[1:])) == ["name", "missing"]
    assert kinds(damage(folder, lines[:-1])) == ["missing"]


@pytest.mark.parametrize("number", [0, 3, 500, 10**15])
def test_an_edited_number(folder, lines, number):
    edited = lines[2].replace(b'{"seq":%d,' % json.loads(lines[2])["seq"], b'{"seq":%d,' % number)
    report = damage(folder, [*lines[:2], edited, *lines[3:]])
    assert not report.ok
    assert len(report.problems) == 2
    assert report.problems[0].line == 3


def test_a_duplicated_line(folder, lines):
    assert kinds(damage(folder, [*lines[:3], lines[2], *lines[3:]])) == ["order"]


def test_swapped_lines(folder, lines):
    report = damage(folder, [*lines[:1], lines[2], lines[1], *lines[3:]])
    assert {"missing", "order", "time"} == set(kinds(report))
    assert not report.ok


@pytest.mark.parametrize("cut", [1, 2, 60])
def test_a_file_cut_in_the_middle_of_a_line(folder, lines, cut):
    second(folder).write_bytes(second(folder).read_bytes()[:-cut])
    assert kinds(verify(folder)) == ["torn", "missing"]
    last = max(folder.glob("*.jsonl"))
    second(folder).write_bytes(b"\n".join(lines) + b"\n")
    last.write_bytes(last.read_bytes()[:-cut])
    assert kinds(verify(folder)) == ["torn"]
    assert not verify(folder).ok


def test_entries_cut_off_the_end_are_missed_by_who_remembers_them(folder, lines):
    max(folder.glob("*.jsonl")).unlink()
    assert verify(folder).ok
    assert kinds(verify(folder, known_last=40)) == ["short"]


def test_missing_files_in_the_middle_and_at_the_beginning(folder, lines):
    second(folder).unlink()
    assert kinds(verify(folder)) == ["missing"]
    min(folder.glob("*.jsonl")).unlink()
    assert kinds(verify(folder)) == ["missing"]
    assert verify(folder).first != 1


def test_a_renamed_file(folder, lines):
    second(folder).rename(folder / segments.name(5))
    assert "name" in kinds(verify(folder))


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"seq":7}',
        b'{"time":"2026-03-01T08:00:00.000000Z","seq":7}',
        b'{"seq": 7,"time":"2026-03-01T08:00:00.000000Z"}',
        b'{"seq":07,"time":"2026-03-01T08:00:00.000000Z"}',
        b'{"seq":7,"time":"2026-13-01T08:00:00.000000Z"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00Z"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z"',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z"}}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z"} ',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","a":NaN}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","a":"\x01"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","a":"\xff"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","seq":8}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","time":null}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","s\\u0065q":8}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","a":"\\ud800"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z"}{"seq":7,"time":"2026-03-01T08:00:00.000000Z"}',
        b'{"seq":7,"time":"2026-03-01T08:00:00.000000Z","a":' + b"[" * 50_000,
    ],
)
def test_a_line_that_is_no_entry(folder, lines, junk):
    assert kinds(
        damage(folder, [*lines[:2], junk.replace(b":7", b":%d" % json.loads(lines[2])["seq"]), *lines[3:]])
    ) == [
        "form",
        "missing",
    ]


def test_an_overlong_line(folder, lines):
    long = lines[2][:-1] + b',"args":"' + b"x" * 65_535 + b'"}'
    (problem,) = damage(folder, [*lines[:2], long, *lines[3:]]).problems
    assert (problem.kind, problem.line, problem.severity) == ("long", 3, "error")


def test_a_line_longer_than_what_is_read_at_once(folder, lines):
    assert kinds(damage(folder, [*lines[:2], b"x" * 9_000_000, *lines[2:]])) == ["form"]


def test_a_clock_that_went_back_is_told_and_is_no_fault_of_the_record(folder):
    (folder / segments.name(1)).write_bytes(line(1, BEGIN) + b"\n" + line(2, BEGIN - timedelta(hours=1)) + b"\n")
    report = verify(folder)
    assert (kinds(report), report.ok, report.steps) == (["time"], True, 1)
    assert "2026-03-01T07:00:00.000000Z follows 2026-03-01T08:00:00.000000Z" in en(report.problems[0].text)


def test_side_files_without_number_are_no_fault_either(folder, lines):
    for number in range(1_100):
        (folder / f"torn-41-{number}.bin").touch()
    report = verify(folder)
    assert (report.ok, report.more, len(report.problems)) == (True, 0, 1_000)


def test_a_clock_that_goes_back_again_and_again_is_no_fault_either_and_hides_none(folder):
    lines = [line(n, BEGIN + timedelta(days=n % 2)) for n in range(1, 5_001)]
    (folder / segments.name(1)).write_bytes(b"".join(one + b"\n" for one in lines))
    report = verify(folder)
    assert (report.ok, report.more, report.steps, report.entries) == (True, 0, 2_500, 5_000)
    assert 0 < len(report.problems) <= 100
    del lines[4_000]
    (folder / segments.name(1)).write_bytes(b"".join(one + b"\n" for one in lines))
    assert [one.seq for one in verify(folder).problems if one.severity == "error"] == [4_001]


def test_a_torn_tail_put_aside_is_told_and_a_stranger_is_a_fault(folder, lines):
    (folder / "torn-41-1.bin").write_bytes(b"x")
    assert (kinds(verify(folder)), verify(folder).ok) == (["side"], True)
    (folder / "notes\x1b[2J.txt").touch()
    report = verify(folder)
    assert (sorted(kinds(report)), report.ok) == (["file", "side"], False)
    assert "\x1b" not in str([problem.text for problem in report.problems])


@needs.root
def test_what_a_filesystem_of_its_own_comes_with_is_no_stranger_and_what_only_looks_like_it_is(folder, lines, tmp_path):
    comes_with_it = folder / "lost+found"
    comes_with_it.mkdir(mode=0o700)
    assert verify(folder).problems == ()
    os.chown(comes_with_it, 62_399, -1)
    assert kinds(verify(folder)) == ["file"]
    comes_with_it.rmdir()
    comes_with_it.touch()
    assert kinds(verify(folder)) == ["file"]
    comes_with_it.unlink()
    (tmp_path / "a directory of root's").mkdir()
    comes_with_it.symlink_to(tmp_path / "a directory of root's")
    assert kinds(verify(folder)) == ["file"]
    comes_with_it.unlink()
    (folder / "lost+found2").mkdir()
    assert kinds(verify(folder)) == ["file"]


def test_a_link_in_place_of_a_file(folder, lines, tmp_path):
    second(folder).rename(tmp_path / "elsewhere")
    second_name = folder / segments.name(json.loads(lines[0])["seq"])
    second_name.symlink_to(tmp_path / "elsewhere")
    assert kinds(verify(folder)) == ["file", "missing"]


def test_a_file_full_of_nothing_is_told_in_bounded_space(folder, lines):
    report = damage(folder, [b""] * 100_000)
    assert len(report.problems) == 1_000
    assert report.more > 99_000
    assert not report.ok
