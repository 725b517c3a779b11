"""What a long run keeps: rounds that were done are not done again, and every result is a line somebody can quote."""

from pathlib import Path

import pytest

from tests.long import results
from tests.long.__main__ import PARTS, part, picked
from tests.long.rounds import Part, Run, begin


def part_of(rounds: int) -> Part:
    return Part("sample", "a sample", lambda _run: None, rounds, short=1)


def run_of(folder: Path, commit: str = "c1", *, wanted: int = 5, resume: bool = True) -> Run:
    return Run(part_of(wanted), begin(folder, commit, short=False, resume=resume), folder, wanted, None, print)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    first = run_of(tmp_path)
    for number in first.rounds():
        first.count("done")
        if number == 2:
            break  # killed in the middle of the third round: it is not done
    second = run_of(tmp_path)
    assert list(second.rounds()) == [2, 3, 4]
    assert second.state.counts == {"done": 2}
    assert second.state.started == first.state.started


def test_what_nobody_has_looked_at_is_not_done(tmp_path: Path) -> None:
    first = run_of(tmp_path)
    for number in first.rounds(checked=False):
        first.count("done")
        if number == 1:
            first.save()  # two were looked through
        if number == 3:
            break
    second = run_of(tmp_path)
    assert (first.saved, list(second.rounds())) == (1, [1, 2, 3, 4])


def test_another_commit_and_a_run_that_is_not_resumed_begin_anew(tmp_path: Path) -> None:
    list(run_of(tmp_path).rounds())
    assert list(run_of(tmp_path, "c2").rounds()) == list(range(5))
    assert list(run_of(tmp_path, "c2", resume=False).rounds()) == list(range(5))


def test_a_round_begins_only_when_there_is_time_for_it(tmp_path: Path) -> None:
    state = begin(tmp_path, "c1", short=True, resume=False)
    run = Run(part_of(5), state, tmp_path, 5, 10.0, print)
    assert list(run.rounds(need=11.0)) == []
    assert len(list(run.rounds(need=5.0, most=2))) == 2


def test_the_same_commit_has_the_same_chances_and_the_next_one_others(tmp_path: Path) -> None:
    def drawn(commit: str) -> list[float]:
        run = run_of(tmp_path, commit, resume=False)
        return [run.chance(number).random() for number in range(3)]

    assert drawn("c1") == drawn("c1") != drawn("c2")
    assert {picked(f"{number:040x}") for number in range(200)} == set(PARTS) - {"kernels"}


def test_what_must_not_be_is_counted_and_fails(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.check("wrong opens", 0)
    run.check("wrong opens", ["a"])
    assert run.state.counts == {"wrong opens": 1}
    assert len(run.state.failures) == 1


def test_results_are_lines_and_a_table_of_the_last_of_each_part(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    run = run_of(tmp_path)
    for number in (1, 2):
        run.count("opens", number * 1000)
        results.add("sample", run.state, dirty=True, file=file)
    found = results.read(file)
    assert [result["counts"]["opens"] for result in found] == [1000, 3000]
    assert {"commit", "dirty", "part", "seconds", "rounds", "failures", "machine", "started", "ended"} <= found[
        0
    ].keys()
    _head, row = results.table(found)
    assert row.split()[:3] == ["sample", "c1+", "long"]
    assert "opens 3,000" in row


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_found_and_has_a_short_form(name: str) -> None:
    found = part(name)
    assert found.name == name
    assert 0 < found.short <= found.rounds
