"""Every decision vector is answered as it says (contract C1)."""

import pytest

from rules.pack.catalogue import TITLES
from tests.rules.vector_files import Vector, vectors
from tests.sentences import en

ALL = list(vectors())


@pytest.mark.parametrize("vector", ALL, ids=[vector.name for vector in ALL])
def test_the_vector_is_answered_as_it_says(vector: Vector) -> None:
    verdict = vector.decide()
    assert {
        "allow": verdict.allow,
        "rule": verdict.rule,
        "clauses": list(verdict.clauses),
        "until": verdict.until,
    } == vector.expect, en(verdict.because)


def test_there_are_enough_vectors_and_no_two_of_one_name() -> None:
    names = {vector.name for vector in ALL}
    assert len(names) == len(ALL) >= 120


def test_every_rule_decides_some_vector() -> None:
    """A rule nobody can be denied by is not tested. ``error`` and ``temp-auth`` never decide well-formed facts."""
    decided = {vector.expect["rule"] for vector in ALL}
    kinds = {kind for vector in ALL for kind in vector.pack.records}
    assert {*TITLES, *kinds} - {"error", "temp-auth"} == decided
