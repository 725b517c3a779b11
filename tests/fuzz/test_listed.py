"""Nobody adds a parser that is not fuzzed, unless they say why."""

from tests.fuzz.listed import NOT_FUZZED, found, fuzzed
from tests.fuzz.table import PARSERS
from tests.fuzz.test_parsers import VECTORS


def test_whatever_reads_is_fuzzed_or_says_why_not() -> None:
    assert sorted(found() - fuzzed() - NOT_FUZZED.keys()) == []


def test_what_is_listed_is_there_once() -> None:
    there = found()
    assert sorted(NOT_FUZZED.keys() - there) == []
    assert sorted(fuzzed() - there) == []
    assert not fuzzed() & NOT_FUZZED.keys()


def test_every_vector_is_of_a_parser() -> None:
    assert {path.name for path in VECTORS.iterdir()} <= PARSERS.keys()
