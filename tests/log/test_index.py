"""The index is a projection: rebuilt it is equal, stopped anywhere it goes on, and it never holds what is not so."""

import random
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.log import segments
from agent.log.append import Appender
from agent.log.index import Indexer
from agent.log.search import Filter, last_seq, query
from tests import ROOT
from tests.examples import examples
from tests.log.indexer_process import BLOCK
from tests.log.samples import BEGIN, access, line, record, write, write_plain

YEAR_END = datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC)


def catch_up(folder, index):
    with Indexer(folder, index) as indexer:
        return indexer.catch_up(60)


def content(index):
    """Everything that is in the files, table by table."""
    found = {}
    for path in sorted(index.glob("*.db")):
        with sqlite3.connect(path) as db:
            found[path.name] = list(db.iterdump())
        db.close()
    return found


def indexed(index):
    return [row.line for row in query(index, Filter(limit=1 << 30))][::-1]


def delete(index, pattern="*"):
    for file in index.glob(pattern):
        file.unlink()


def write_months(folder, months=3):
    numbered = ((BEGIN + timedelta(days=n), access(f"E{n % 5}", f"/srv/计划/{n % 7}")) for n in range(31 * months))
    write(folder, numbered, segment_bytes=2_000)


def test_all_entries_are_indexed_in_monthly_files_and_no_entry_twice(folder, index):
    write_months(folder)
    assert catch_up(folder, index) == 93
    assert catch_up(folder, index) == 0
    assert [file.name for file in sorted(index.iterdir())] == ["2026-03.db", "2026-04.db", "2026-05.db", "2026-06.db"]
    assert indexed(index) == record(folder)


def test_the_end_of_a_year_is_the_end_of_a_month(folder, index):
    write(folder, ((YEAR_END + timedelta(seconds=n), access("E1", "/a")) for n in range(20)))
    catch_up(folder, index)
    assert sorted(content(index)) == ["2026-12.db", "2027-01.db"]
    assert indexed(index) == record(folder)


def test_deleted_and_rebuilt_it_is_equal_however_it_came_about(folder, index, tmp_path):
    with Indexer(folder, index) as indexer:
        for day in range(70):
            with Appender(folder, "process", segment_bytes=1_000) as log:
                at = BEGIN + timedelta(days=day)
                batch = [line(log.next_seq + n, at, **access(f"E{day % 9}", f"/计划/{n}")) for n in range(day % 4)]
                if batch:
                    log.append(batch)
            if day % 3:
                indexer.catch_up(0)
        indexer.catch_up(60)
    assert indexed(index) == record(folder)
    catch_up(folder, tmp_path / "anew")
    assert content(index) == content(tmp_path / "anew")
    delete(index)
    catch_up(folder, index)
    assert content(index) == content(tmp_path / "anew")


@pytest.mark.parametrize("gone", ["2026-03.db", "2026-04.db", "2026-06.db"])
def test_a_deleted_month_comes_back(folder, index, gone):
    write_months(folder)
    catch_up(folder, index)
    before = content(index)
    (index / gone).unlink()
    catch_up(folder, index)
    assert content(index) == before


def test_files_deleted_under_a_running_indexer_come_back(folder, index):
    write_months(folder, 1)
    with Indexer(folder, index) as indexer:
        indexer.catch_up(60)
        before = indexed(index)
        delete(index)
        indexer.catch_up(60)
        assert indexed(index) == before


@pytest.mark.parametrize("junk", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_month_is_made_again(folder, index, junk):
    write_months(folder)
    catch_up(folder, index)
    before = content(index)
    (index / "2026-05.db").write_bytes(junk)
    catch_up(folder, index)
    assert content(index) == before


def test_a_torn_last_line_is_left_alone_until_it_is_whole(folder, index):
    file = folder / segments.name(1)
    last = line(2)
    for length in range(len(last) + 1):
        file.write_bytes(line(1) + b"\n" + last[:length])
        catch_up(folder, index)
        assert indexed(index) == [line(1)]
    file.write_bytes(line(1) + b"\n" + last + b"\n")
    assert catch_up(folder, index) == 1
    assert indexed(index) == [line(1), last]


@pytest.mark.parametrize("reopened", [True, False])
def test_entries_taken_back_after_a_full_disk_are_taken_back_here_too(folder, index, reopened):
    # A reader saw two lines of a batch before it was cut off again; another batch took its place.
    file = folder / segments.name(1)
    file.write_bytes(line(1) + b"\n" + line(2, verdict="allow") + b"\n" + line(3) + b"\n")
    indexer = Indexer(folder, index)
    indexer.catch_up(60)
    file.write_bytes(line(1) + b"\n" + line(2, verdict="deny") + b"\n" + line(3, args="x") + b"\n" + line(4) + b"\n")
    if reopened:
        indexer.close()
        indexer = Indexer(folder, index)
    with indexer:
        indexer.catch_up(60)
        assert indexer.displaced == 1
    assert indexed(index) == record(folder)
    assert [file.name for file in index.glob("*.displaced")] == ["2026-03.db.displaced"]


def test_a_record_cut_short_by_months_is_followed_and_what_was_known_is_kept_as_evidence(folder, index):
    write_months(folder)
    catch_up(folder, index)
    for segment in segments.listing(folder)[5:]:
        segment.path.unlink()
    catch_up(folder, index)
    assert indexed(index) == record(folder)
    assert list(index.glob("*.displaced"))


def test_damaged_lines_are_passed_over_and_the_entries_around_them_found(folder, index):
    kept = [line(1), line(2), line(5)]
    lines = [kept[0], b"", b"\0" * 50, kept[1], b'{"seq":3,"time":"2026-03-01T08:00:03.000000Z","a":"\xff"}', kept[2]]
    (folder / segments.name(1)).write_bytes(b"\n".join(lines) + b"\n")
    assert catch_up(folder, index) == 3
    assert indexed(index) == kept
    write_plain(folder, 1)
    assert catch_up(folder, index) == 1


def test_fields_of_a_foreign_shape_do_no_harm(folder, index):
    fields = rb'"kind":7,"person":["a"],"path":"\ud800","rule":null,"area":"\u0000"'
    odd = b'{"seq":1,"time":"2026-03-01T08:00:03.000000Z",' + fields + b"}"
    (folder / segments.name(1)).write_bytes(odd + b"\n")
    catch_up(folder, index)
    assert indexed(index) == [odd]
    assert [row.seq for row in query(index, Filter(area="\0"))] == [1]


def test_an_entry_is_filed_under_the_time_it_is_stamped_with_wherever_it_stands(folder, index):
    write(folder, [(BEGIN, {"kind": "a"}), (BEGIN - timedelta(days=200), {"kind": "b"}), (BEGIN, {"kind": "c"})])
    catch_up(folder, index)
    assert sorted(content(index)) == ["2025-08.db", "2026-03.db"]
    assert [row.seq for row in query(index, Filter())] == [3, 2, 1]
    assert [row.seq for row in query(index, Filter(since=BEGIN))] == [3, 1]
    assert [row.seq for row in query(index, Filter(until=BEGIN))] == [2]


def test_a_month_that_is_come_back_to_gets_another_file_once_the_present_one_is_worth_it(folder, index, monkeypatch):
    monkeypatch.setattr("agent.log.index._ENOUGH", 5)
    days = [*[0] * 3, *[3650] * 3, *[0] * 2, *[3650] * 9, *[0] * 9, *[40] * 2]
    write(folder, [(BEGIN + timedelta(days=day), {"kind": "a"}) for day in days])
    for chunk in (1 << 20, 300):
        with Indexer(folder, index, chunk=chunk) as indexer:
            indexer.catch_up(60)
        assert sorted(content(index)) == ["2026-03.2.db", "2026-03.db", "2026-04.db", "2036-02.db"]
        assert indexed(index) == record(folder)
        found = [row.seq for row in query(index, Filter(until=BEGIN + timedelta(days=1)))][::-1]
        assert found == [1, 2, 3, 7, 8, *range(18, 27)]
        assert catch_up(folder, index) == 0
        delete(index)


def test_a_clock_that_is_moved_to_and_fro_makes_no_file_each_time(folder, index):
    write(folder, [(BEGIN + timedelta(days=400 * (n % 2)), {"kind": "a"}) for n in range(300)])
    catch_up(folder, index)
    assert len(content(index)) == 2
    assert indexed(index) == record(folder)
    assert len(list(query(index, Filter(since=BEGIN + timedelta(days=1))))) == 150


def test_no_time_still_makes_progress(folder, index):
    write_plain(folder, 5)
    with Indexer(folder, index) as indexer:
        assert indexer.catch_up(0) == 5


def test_the_highest_number_is_known_for_the_verifier(folder, index):
    assert last_seq(index) == 0
    write_plain(folder, 5)
    catch_up(folder, index)
    assert last_seq(index) == 5


def test_killed_at_any_moment_it_goes_on_and_becomes_equal(folder, index, tmp_path):
    write_months(folder, 20)
    catch_up(folder, tmp_path / "anew")
    command = [sys.executable, "-m", "tests.log.indexer_process", str(folder), str(index)]
    chance = random.Random(1)
    for _ in range(8):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, pipesize=BLOCK, bufsize=0) as process:
            assert process.stdout
            for _ in range(chance.randrange(1, 12)):
                assert len(process.stdout.read(BLOCK)) == BLOCK
            process.kill()
        assert 0 < len(indexed(index)) < 620
    catch_up(folder, index)
    assert content(index) == content(tmp_path / "anew")


@examples(30)
@given(
    st.lists(st.tuples(st.integers(-40, 40), st.sampled_from(["E1", "E2", None])), min_size=1, max_size=30),
    st.lists(st.integers(0, 29), max_size=5),
)
def test_wherever_it_is_stopped_it_becomes_equal(tmp_path_factory, steps, stops):
    base = tmp_path_factory.mktemp("equal")
    (base / "log").mkdir(mode=0o700)
    at = BEGIN
    with Appender(base / "log", "process", segment_bytes=700) as log, pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.log.index._ENOUGH", 3)
        for number, (days, person) in enumerate(steps):
            at += timedelta(days=days)
            log.append([line(log.next_seq, at, **access(person, "/计划"))])
            if number in stops:
                catch_up(base / "log", base / "stopped")
        catch_up(base / "log", base / "stopped")
        catch_up(base / "log", base / "at once")
    assert content(base / "stopped") == content(base / "at once")
    assert indexed(base / "stopped") == record(base / "log")


def test_a_month_whose_making_was_cut_short_is_read_as_empty(index):
    index.mkdir(exist_ok=True)
    program = (
        "import os, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1')\n"
        "db.execute('CREATE TABLE t(x)')\n"
        "db.execute('BEGIN')\n"
        "for _ in range(500): db.execute('INSERT INTO t VALUES (?)', ('x' * 3000,))\n"
        "os._exit(9)\n"  # its journal is hot: a reader that may only read cannot undo it
    )
    subprocess.run([sys.executable, "-c", program, str(index / "2026-06.db")], check=False)
    assert (index / "2026-06.db-journal").stat().st_size
    assert list(query(index, Filter())) == []
