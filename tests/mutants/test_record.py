"""The page of survivors keeps what people wrote, and names mutants by what they are."""

from pathlib import Path

import pytest

from tests import ROOT
from tests.mutants import record, sample
from tests.mutants.compiled import loaded_functions, mutants, put
from tests.mutants.record import LOOSENED, SURVIVED, Result, Survivor

FILE = "rules/eligibility.py"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PAGE", tmp_path / "survivors.toml")
    monkeypatch.setattr(record, "RESULTS", tmp_path / "mutants.jsonl")


def test_a_reason_stays_and_what_is_killed_goes() -> None:
    one, other = (Survivor(FILE, "", line, "x becomes y", SURVIVED) for line in ("a = 1", "b = 2"))
    record.write([one, other], [FILE])
    text = record.PAGE.read_text(encoding="utf-8").replace('line = "a = 1"\n', 'line = "a = 1"\nreason = "the same"\n')
    record.PAGE.write_text(text, encoding="utf-8")
    record.write([one], [FILE])
    assert record.page() == [Survivor(FILE, "", "a = 1", "x becomes y", SURVIVED, "the same")]
    record.write([], ["rules/decide.py"])
    assert len(record.page()) == 1


def test_what_lets_more_through_is_no_line_of_the_page() -> None:
    record.write([Survivor(FILE, "f", "a", "b", LOOSENED)], [FILE])
    assert record.page() == []


def test_only_what_was_killed_is_not_tried_again() -> None:
    places = [record.Place(FILE, number) for number in range(3)]
    for place, outcome in zip(places, (record.KILLED, SURVIVED, LOOSENED), strict=True):
        record.add(place, outcome, "x")
    known = record.read()
    assert [record.settled(known, place) for place in places] == [True, False, False]
    assert not record.settled({}, places[0])


def test_what_is_known_of_another_version_of_a_file_is_not_known() -> None:
    with record.RESULTS.open("w", encoding="utf-8") as lines:
        lines.write('["rules/eligibility.py", 0, "another", "killed", "x"]\n')
    assert record.read() == {}


def test_a_survivor_is_named_by_function_and_line() -> None:
    [found] = record.survivors([Result(FILE, 3, record.digest(FILE), SURVIVED, "")])
    assert found.function == "why_ineligible"
    assert found.line in (ROOT / FILE).read_text(encoding="utf-8")


def test_a_function_that_runs_already_becomes_the_mutant() -> None:
    path = Path(sample.__file__)
    functions = loaded_functions(str(path))
    [mutant] = [one for one in mutants(path.read_text(encoding="utf-8"), str(path)) if one.what == "GtE becomes Gt"]
    kept = sample.reaches.__code__
    try:
        assert sample.reaches(3, 3)
        put(mutant, functions)
        assert not sample.reaches(3, 3)
    finally:
        sample.reaches.__code__ = kept
