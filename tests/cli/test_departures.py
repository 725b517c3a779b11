"""What somebody meets who tries a departure for the first time, in both languages."""

import time
from pathlib import Path

import pytest

from tests.cli.said import Shoumi
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import Site


@pytest.mark.parametrize("language", ["en", "zh"])
def test_who_has_no_departure_is_said_so_with_the_command_that_begins_one(shoumi: Shoumi, language: str) -> None:
    shoumi("person", "add", "E1001")
    for question in ("status", "show", "receipt", "progress"):
        said = shoumi("case", question, "E1001", language=language)
        assert said.code == 1
        assert {"en": "`E1001` has no offboarding case", "zh": "`E1001` 没有离岗离职办理"}[language] in said.err
        assert "shoumi case open E1001 --last-day" in said.err
    assert "the format is C000123" in shoumi("case", "status", "E1002").err


def test_the_list_is_in_the_language_of_the_reader(shoumi: Shoumi) -> None:
    shoumi("person", "add", "E1001")
    shoumi("case", "open", "E1001", "--last-day", "2099-12-31")
    assert "notice given" in shoumi("case", "list").out
    chinese = shoumi("case", "list", language="zh").out
    assert "辞职" in chinese
    assert "已提出" in chinese
    assert "确定脱密期" in chinese
    assert "resignation" not in chinese


def test_a_first_officer_who_takes_a_departure_back_is_told_that_it_takes_a_second(shoumi: Shoumi) -> None:
    shoumi("person", "add", "E1001")
    shoumi("case", "open", "E1001", "--last-day", "2099-12-31")
    shoumi("case", "approve", "E1001")
    assert "a second officer confirms with the same command" in shoumi("case", "rescind", "E1001", "--reason", "x").out


def test_a_test_token_that_cannot_be_sent_says_what_to_do(shoumi: Shoumi, tmp_path: Path) -> None:
    keys, others = str(tmp_path / "keys"), str(tmp_path / "others")
    shoumi("person", "add", "E1001")
    assert "docs/hr-integration.md" in shoumi("case", "send-test", "E1001", "--keys", keys).err
    shoumi("keys", "make-test", keys, "--approver", "E0007", "--pin")
    shoumi("keys", "make-test", others, "--approver", "E0007")
    wrong = shoumi("case", "send-test", "E1001", "--keys", others)
    assert (wrong.code, "compare these keys with hr-keys.json" in wrong.err) == (1, True)
    day = shoumi("case", "send-test", "E1001", "--keys", keys, "--last-day", "2026-13-31")
    assert (day.code, "`2026-13-31` is not a date" in day.err) == (2, True)


def test_what_waits_in_quarantine_is_listed_and_named_where_somebody_can_act(shoumi: Shoumi, tmp_path: Path) -> None:
    assert "nothing is in quarantine" in shoumi("case", "quarantine").err
    shoumi("keys", "make-test", str(tmp_path / "keys"), "--approver", "E0007", "--pin")
    shoumi("case", "send-test", "E1001", "--keys", str(tmp_path / "keys"))
    deadline = time.monotonic() + 30
    while "E1001" not in (waiting := shoumi("case", "quarantine", language="zh").out):
        assert time.monotonic() < deadline
    assert "本单位没有此工号或名称的人员" in waiting
    assert "`shoumi case release NAME`" in shoumi("case", "quarantine").err
    early = shoumi("case", "release", "E1001")
    assert "there is no person `E1001`" in early.err
    assert "register the person first: shoumi person add E1001;" in early.err
    assert "if it is the number of a registered person: shoumi hr subject add PERSON --number E1001\n" in early.err
    assert "shoumi case release E1001" in shoumi("person", "add", "E1001").out
    released = shoumi("case", "release", "E1001").out
    assert "1 notice released" in released
    assert "`shoumi hr answers list`" in released
    assert shoumi("case", "receipt", "E1001", "--wait").code == 0


def test_a_receipt_that_is_not_there_is_named(run: Shoumi, tmp_path: Path) -> None:
    said = run("--home", str(tmp_path), "case", "receipt", "--verify", str(tmp_path / "nothing"), "--key", "x")
    assert (said.code, "Errno" in said.err) == (1, False)
    assert "nothing` cannot be read: no such file or directory" in said.err


def test_how_many_are_still_being_proven_is_said_wherever_somebody_looks(
    site: Site, shoumi: Shoumi, tmp_path: Path
) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    area = ("area", "add", str(plans), "--name", "plans", "--level", "secret", "--domain", "state")
    for words in (
        area,
        ("person", "add", "E1", "--level", "secret", "--domain", "state", "--account", "61001"),
        ("grant", "add", "E1", "plans", "--reason", "x"),
        ("person", "add", "E2"),
        ("person", "add", "E3"),
    ):
        assert shoumi(*words).code == 0, words
    plans.rmdir()  # nothing can be tried there: it goes on being proven
    assert shoumi("hold", "add", "E1", "--reason", "x").code == 0
    with site.client() as agent:
        until(lambda: agent.call("status")["revocations"]["waiting"] == 1)
    assert shoumi("case", "open", "E2", "--last-day", "2099-12-31").code == 0
    for words in (("hold", "add", "E3", "--reason", "x"), ("status",), ("case", "progress", "E2")):
        assert "being proven, about" in shoumi(*words).out, words
        assert "正在核证，约需" in shoumi(*words, language="zh").out, words
