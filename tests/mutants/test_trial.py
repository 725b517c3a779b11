"""The trial tells a mutant that is noticed, one that lets more through, and one of which nobody can say anything."""

import json
import subprocess
import sys

import pytest

from tests import ROOT
from tests.mutants.compiled import mutants

_PROGRAM = """
import json, sys
from tests.mutants import trial
from tests.mutants.groups import Group
name, tests, questions, wanted = json.loads(sys.argv[1])
group = Group("sample", (name,), tuple(tests), tuple(questions))
ready = trial.prepare(group, 1)
places = [trial.Place(name, number) for number in wanted]
found = sorted([*place, outcome] for place, outcome, by in trial.trial(group, ready, places, 2))
print(json.dumps([ready.covering.failed, found]))
"""
_ROLES = "agent/api/roles.py"


def tried(name: str, tests: list[str], questions: list[str], wanted: list[int]) -> list[str]:
    """Return what becomes of the mutants *wanted*, in a process that has imported nothing of the program."""
    words = (sys.executable, "-c", _PROGRAM, json.dumps([name, tests, questions, wanted]))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    failed, found = json.loads(done.stdout)
    assert failed == []
    assert [number for _, number, _ in found] == wanted
    return [outcome for _, _, outcome in found]


def numbers(line: str, what: str) -> list[int]:
    """Return the numbers of a mutation in the file of roles, by the text of its line."""
    source = (ROOT / _ROLES).read_text(encoding="utf-8")
    texts = source.splitlines()
    found = [
        number for number, one in enumerate(mutants(source, _ROLES)) if line in texts[one.line - 1] and what in one.what
    ]
    assert found, f"no mutation of `{line}` is `{what}`"
    return found


@pytest.mark.parametrize(
    ("tests", "questions", "outcome"),
    [
        (["tests/api/test_roles.py"], [], "killed"),
        (["tests/api/test_timestamps.py"], ["callers"], "loosened"),
        (["tests/api/test_timestamps.py"], [], "unasked"),
    ],
)
def test_a_mutant_that_lets_a_caller_in(tests: list[str], questions: list[str], outcome: str) -> None:
    wanted = numbers("in peer.groups and (present is None", "NotIn")[-1:]
    assert tried(_ROLES, tests, questions, wanted) == [outcome]


def test_a_mutant_that_only_keeps_somebody_out_survives_where_no_test_notices() -> None:
    wanted = numbers("return CallerRole(held[0])", "returns None")
    assert tried(_ROLES, ["tests/api/test_timestamps.py"], ["callers"], wanted) == ["survived"]


def test_what_runs_at_import_is_imported_as_the_mutant() -> None:
    """A constant, which no running function can be told of."""
    cards = "agent/doors/osdp/decode.py"
    source = (ROOT / cards).read_text(encoding="utf-8")
    [number] = [number for number, one in enumerate(mutants(source, cards)) if one.what == "64 becomes 65"]
    assert tried(cards, ["tests/doors/osdp/test_decode.py"], [], [number]) == ["killed"]
