"""What the command line shows of leave dates, batches and measures, in both languages."""

import json

import pytest

from tests.cli.said import Shoumi


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_leave_date_is_shown_and_brought_forward(shoumi: Shoumi, language: str) -> None:
    shoumi("person", "add", "E1001")
    said = shoumi("case", "open", "E1001", "--last-day", "2099-12-31", "--effective", "2099-12-31T12:00")
    assert said.code == 0
    done = shoumi("case", "approve", "E1001", language=language)
    assert {"en": "access ends at the leave date", "zh": "权限将于离岗离职时间终止"}[language] in done.out
    page = shoumi("case", "show", "E1001", language=language).out
    assert {"en": "leave date", "zh": "离岗离职时间"}[language] in page
    assert {"en": "resignation (leaves the unit)", "zh": "辞职（离职）"}[language] in page
    assert "shoumi case advance E1001 --to TIME" in page
    wrong = shoumi("case", "advance", "E1001", "--to", "2100-01-01", language=language)
    assert (wrong.code, {"en": "can only be brought forward", "zh": "只可提前"}[language] in wrong.err) == (1, True)
    ended = json.loads(shoumi("case", "advance", "E1001", "--json").out)
    assert ended["step"] == "approved"
    assert ended["ended_at"]


def test_a_batch_is_listed_as_one_and_its_cases_by_its_name(shoumi: Shoumi) -> None:
    for person in ("E1001", "E1002"):
        shoumi("person", "add", person)
        shoumi("case", "open", person, "--last-day", "2099-12-31", "--kind", "layoff", "--batch", "2026-11")
    assert "no batches" not in shoumi("case", "batches").err
    found = json.loads(shoumi("case", "batches", "--json").out)
    assert (found["batch"], found["people"], found["over"]) == ("2026-11", 2, 0)
    assert "2 notice given" in shoumi("case", "batches").out
    assert "已提出 2 人" in shoumi("case", "batches", language="zh").out
    assert len(shoumi("case", "list", "--batch", "2026-11", "--json").out.splitlines()) == 2
    assert shoumi("case", "list", "--batch", "other", "--json").out == ""


def test_who_is_back_from_long_leave_takes_the_same_command_by_a_second_officer(shoumi: Shoumi) -> None:
    shoumi("person", "add", "E1001")
    shoumi("case", "open", "E1001", "--last-day", "2099-12-31", "--kind", "long-leave")
    shoumi("case", "approve", "E1001")
    assert "a second officer confirms with the same command" in shoumi("case", "resume", "E1001").out
