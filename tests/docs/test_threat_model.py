"""Every line of the threat model has tests that fail when it is untrue, or a reason; nobody is left out.

``tests/docs/threats.toml`` has a table ``[[line]]`` for each: ``section`` and ``who``, its first cell, and either
``tests`` or ``reason``.
"""

import tomllib
from collections import Counter
from typing import Any

import pytest

from agent.confinement.process_rights import ALL
from tests.docs.processes import PROCESSES
from tests.docs.reference import DOCS
from tests.docs.sentences import TABLES, Sentence, exists, sentences

_PAGE = DOCS / "threat-model.md"
_TABLE = TABLES.parent / "threats.toml"
_SECTIONS = {"Keys", "Groups", "Uids", "Processes, taken over", "Root"}
# They run for whoever calls them, or are the demo's; a line for both is "command line, terminal".
_CLIENTS = {"cli", "terminal", "simulator", "demo person", "probe opener"}


def _lines(page: str) -> list[tuple[str, str]]:
    """Return section and first cell of every line, in order."""
    return [(one.section, one.text.split(" | ")[0]) for one in sentences(page) if one.text.count(" | ") == 3]


def _entries() -> list[dict[str, Any]]:
    return list(tomllib.loads(_TABLE.read_text(encoding="utf-8"))["line"])


def _wanting(entries: list[dict[str, Any]]) -> list[str]:
    """Return who has neither tests that stand in the tree nor a reason, or has both."""
    return [
        one["who"]
        for one in entries
        if bool(one.get("tests")) == bool(one.get("reason", "").strip())
        or not all(exists(test) for test in one.get("tests", ()))
        or set(one) - {"section", "who", "tests", "reason"}
    ]


def test_every_line_has_an_entry_and_every_entry_its_line_once() -> None:
    lines = Counter(_lines(_PAGE.read_text(encoding="utf-8")))
    assert lines == Counter((one["section"], one["who"]) for one in _entries())
    assert set(lines.values()) == {1}
    assert {section for section, _ in lines} == _SECTIONS


def test_every_line_has_tests_or_a_reason() -> None:
    assert _wanting(_entries()) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"who": "x", "section": "Keys"},
        {"who": "x", "section": "Keys", "tests": []},
        {"who": "x", "section": "Keys", "reason": " "},
        {"who": "x", "section": "Keys", "tests": ["tests/docs/test_threat_model.py::test_of_no_such_name"]},
        {"who": "x", "section": "Keys", "reason": "so", "tests": ["tests/docs/test_threat_model.py::test_it"]},
    ],
    ids=["neither", "no test", "no words", "no such test", "both"],
)
def test_a_line_without_either_is_found(entry: dict[str, Any]) -> None:
    assert _wanting([entry]) == ["x"]


def test_a_line_is_read_off_its_table() -> None:
    page = "## Keys\n\n| who | can | stops | notices |\n|---|---|---|---|\n| a, b | c | d. E | f |\n"
    assert _lines(page) == [("Keys", "a, b")]
    assert list(sentences(page)) == [Sentence("Keys", "a, b | c | d. E | f")]


def test_no_process_is_left_out() -> None:
    said = " ".join(
        who for section, who in _lines(_PAGE.read_text(encoding="utf-8")) if section.startswith("Processes")
    )
    names = {row.name for row in PROCESSES} | {row.name for row in ALL}
    absent = {name for name in names - _CLIENTS if name.removeprefix("mount ") not in said}
    assert absent <= {"mail", "canary"}, "the letter, and the uids of canaries"
