"""``--plan``: what an act would take is said, and nothing is done (C14)."""

import json
from pathlib import Path

import pytest

from agent.api.operations import PLANNED
from agent.cli.__main__ import COMMANDS
from tests.control.site import Site


@pytest.fixture
def granted(site: Site, shoumi, tmp_path: Path) -> Site:
    (tmp_path / "plans").mkdir()
    area = ("area", "add", str(tmp_path / "plans"), "--name", "plans", "--level", "secret", "--domain", "state")
    for words in (
        area,
        ("person", "add", "E1", "--level", "secret", "--domain", "state", "--account", "61001"),
        ("grant", "add", "E1", "plans", "--reason", "x"),
    ):
        assert shoumi(*words).code == 0, words
    return site


def test_every_act_that_is_planned_has_the_option() -> None:
    planned = {".".join(command.names) for command in COMMANDS if "plan" in {param.name for param in command.params}}
    assert planned >= PLANNED


@pytest.mark.parametrize(
    "words",
    [
        ("grant", "end", "E1", "plans", "--reason", "x"),
        ("person", "set", "E1", "--level", "internal", "--domain", "state"),
        ("person", "set", "E1", "--inactive"),
        ("area", "set", "plans", "--level", "top-secret"),
    ],
    ids=" ".join,
)
def test_a_plan_names_who_loses_what_and_does_nothing(granted: Site, shoumi, words: tuple[str, ...]) -> None:
    before = len(granted.entries())
    said = shoumi(*words, "--plan")
    assert (said.code, said.err) == (0, "")
    assert "`E1` loses `plans`" in said.out
    assert len(granted.entries()) == before
    assert json.loads(shoumi("explain", "E1", "plans", "--json").out)["verdict"] == "allow"


def test_a_plan_that_takes_nothing_says_so_and_a_bad_one_is_refused(granted: Site, shoumi) -> None:
    assert "nobody loses access" in shoumi("person", "set", "E1", "--name", "王五", "--plan").out
    refused = shoumi("grant", "end", "G000009", "--reason", "x", "--plan")
    assert refused.code == 1
    assert "G000009" in refused.err
    gone = shoumi("account", "remove", "E1", "61001", "--plan")
    assert "`E1` loses `plans` as uid 61001" in gone.out


def test_an_import_is_planned_like_any_other_act(granted: Site, shoumi, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("id,level,domain\nE1,internal,state\n")
    assert "`E1` loses `plans`" in shoumi("person", "import", str(file), "--update", "--plan").out
    done = shoumi("person", "import", str(file), "--update")
    assert (done.code, "registered before: 1" in done.out) == (0, True)
    [entry] = granted.entries(act="person.import", outcome="done")
    assert entry["lost"] == {"people": 1, "first": [{"person": "E1", "areas": ["plans"], "rooms": []}]}


def test_a_plan_has_the_sign_of_what_is_planned_and_never_that_of_what_is_confirmed(granted: Site, shoumi) -> None:
    for words in (("hold", "plan", "E1"), ("case", "plan", "E1"), ("grant", "end", "E1", "plans", "--plan")):
        lines = [line.strip() for line in shoumi(*words).out.splitlines()]
        assert [line for line in lines if line.startswith("· ")], words
        assert not [line for line in lines if "✓" in line]
    assert "access attempts" in "".join(lines)
