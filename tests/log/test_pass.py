"""A pass that goes on as the record grows finds what one reading finds, wherever it stopped in between."""

import os

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from agent.log.verify import Pass, verify
from tests.examples import examples
from tests.log.samples import write_plain

SEGMENT = 1_000


def looked(reading):
    for _ in reading.go_on():
        pass
    return reading.report()


def kinds(report):
    return [problem.kind for problem in report.problems]


@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 9_000), max_size=4), broken=st.none() | st.integers(0, 8_000))
def test_looks_at_a_growing_record_find_what_one_reading_finds(tmp_path_factory, cuts, broken):
    whole, grown = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("grown")
    write_plain(whole, 40, SEGMENT)
    files = sorted(whole.glob("*.jsonl"))
    if broken is not None:
        damaged = files[broken * len(files) // 8_001]
        raw = bytearray(damaged.read_bytes())
        raw[broken % len(raw)] ^= 0x15
        damaged.write_bytes(raw)
    content = [(file.name, file.read_bytes()) for file in files]
    reading, size = Pass(grown), sum(len(raw) for _, raw in content)
    for cut in [*sorted(min(cut, size) for cut in cuts), size]:
        left = cut
        for name, raw in content:
            if left > 0:
                (grown / name).touch()
                with (grown / name).open("ab") as file:
                    file.write(raw[file.tell() : left])
            left -= len(raw)
        looked(reading)
    exact = verify(whole)
    assert reading.report(finished=True)._replace(problems=()) == exact._replace(problems=())
    assert kinds(reading.report(finished=True)) == kinds(exact)


def test_a_line_that_is_still_being_written_is_no_fault_until_the_end(folder):
    write_plain(folder, 5, SEGMENT)
    newest = max(folder.glob("*.jsonl"))
    raw = newest.read_bytes()
    newest.write_bytes(raw[:-10])
    reading = Pass(folder)
    assert looked(reading).ok
    assert reading.unfinished
    assert kinds(reading.report(finished=True)) == ["torn"]
    newest.write_bytes(raw)
    assert looked(reading).last == 5
    assert not reading.unfinished


def test_what_was_read_and_is_shorter_gone_or_another_file_is_noticed_once(folder):
    write_plain(folder, 40, SEGMENT)
    newest = max(folder.glob("*.jsonl"))
    raw = newest.read_bytes()
    for damage, kind in (
        (lambda: os.truncate(newest, len(raw) // 2), "short"),
        (
            lambda: (
                newest.unlink(),
                newest.with_suffix(".new").write_bytes(raw),
                newest.with_suffix(".new").rename(newest),
            ),
            "short",
        ),
        (newest.unlink, "missing"),
    ):
        newest.write_bytes(raw)
        reading = Pass(folder)
        assert looked(reading).ok
        with newest.open("rb"):  # so that its number is not given to its successor
            damage()
        assert kinds(looked(reading)) == [kind]
        assert kinds(looked(reading)) == [kind]
