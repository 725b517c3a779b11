"""What the check says about a pack: the right line, what is wrong, what to do next."""

import json
from pathlib import Path
from typing import Any

import pytest

from rules.pack.clauses import read_clauses
from rules.pack.reader import PackError, check, load
from tests.rules.strategies import EVERYTHING
from tests.sentences import en, zh

PACK = """\
name = "site"
version = "3"
title = { en = "our rules", zh = "本单位规则" }
utc_offset = "+08:00"

[domains]
state = { en = "state secrets", zh = "国家秘密" }

[hold]
[departure]
[level]
[scope]
[grant]
"""
# `replace` gives way to the lines of `by`, or these come at the end; then the check says this, here, with this hint.
WRONG = json.loads((Path(__file__).parent / "problems.json").read_text(encoding="utf-8"))


def changed(old: str, new: str) -> str:
    assert not old or old in PACK
    return PACK.replace(old, new, 1) if old else f"{PACK}{new}\n"


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong["name"] for wrong in WRONG])
def test_the_check_says_what_is_wrong_where_and_what_to_do(wrong: dict[str, Any], clauses_text: str) -> None:
    problems = check(
        changed(wrong["replace"], "\n".join(wrong["by"])), known_clauses=frozenset(read_clauses(clauses_text))
    )
    assert [
        problem
        for problem in problems
        if (problem.line, problem.severity) == (wrong["line"], wrong["severity"])
        and wrong["says"] in en(problem.text)
        and wrong["hint"] in en(problem.hint)
    ], problems
    assert all(zh(problem.text) and zh(problem.hint) for problem in problems)


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong["name"] for wrong in WRONG])
def test_a_pack_with_an_error_is_not_loaded(wrong: dict[str, Any]) -> None:
    text = changed(wrong["replace"], "\n".join(wrong["by"]))
    if any(problem.severity == "error" for problem in check(text)):
        with pytest.raises(PackError):
            load(text)
    else:
        assert load(text).rules


def test_a_pack_in_order_has_no_problem() -> None:
    assert check(PACK) == check(EVERYTHING) == check(PACK.encode()) == ()


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = PACK.replace("[hold]", "[hold]\nx = 1").replace("[grant]", "[grant]\ny = 2").replace('"3"', "3")
    assert [problem.line for problem in check(text)] == [2, 10, 15]


def test_a_circle_of_three_steps_is_found_and_a_ladder_is_not() -> None:
    kinds = {"a": "['b']", "b": "['c']", "c": "[]"}
    ladder = "".join(f"[records.{k}]\ntitle = {{ en = '{k}', zh = '{k}' }}\nafter = {v}\n" for k, v in kinds.items())
    assert check(PACK + ladder) == ()
    circle = check(PACK + ladder.replace("after = []", "after = ['a']"))
    assert [problem.text.code for problem in circle] == ["pack.steps-circular"] * 3


def test_a_step_after_two_that_share_one_before_them_is_no_circle() -> None:
    kinds = {"a": "['b', 'c']", "b": "['d', 'nothing']", "c": "['d']", "d": "[]"}
    text = "".join(f"[records.{k}]\ntitle = {{ en = '{k}', zh = '{k}' }}\nafter = {v}\n" for k, v in kinds.items())
    assert [en(problem.text) for problem in check(PACK + text)] == [
        "record kind `nothing` does not exist: the requirement can never be met"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name = ", 1),
        ("name = 'a'\nname = 'b'", 2),
        ("a = 1\nb = [1,\n", 3),
        ("a = 1\n\n= 3", 3),
        ("x = " + "[" * 20_000, 1),
        ("x = " + "9" * 5_000, 1),
        ("x = 2026-13-45", 1),
    ],
)
def test_text_that_is_not_toml_is_told_by_its_line(text: str, line: int) -> None:
    assert [(problem.line, en(problem.text)) for problem in check(text)] == [(line, "the text is not valid TOML")]


def test_bytes_that_are_not_utf8_are_told_by_their_line() -> None:
    assert [(problem.line, en(problem.text)) for problem in check(b"name = 'a'\n\xff")] == [
        (2, "the text is not UTF-8")
    ]


def test_a_clause_is_only_compared_when_the_clauses_are_known() -> None:
    assert check(PACK.replace("[hold]", "[hold]\nclauses = ['D99-1.1']")) == ()


def test_loading_raises_with_every_problem_and_says_each_line() -> None:
    with pytest.raises(PackError) as raised:
        load(changed("[hold]", "[hold]\nx = 1\ny = 2"))
    assert [problem.line for problem in raised.value.problems] == [10, 11]
    assert en(raised.value.text) == "line 10: unknown setting `x`; line 11: unknown setting `y`"
    assert zh(raised.value.text) == "第 10 行：没有名为 `x` 的设置；第 11 行：没有名为 `y` 的设置"


def test_a_warning_does_not_keep_a_pack_from_loading() -> None:
    assert load(changed("", "[marking]")).marking is not None


def test_the_digest_is_of_the_exact_text() -> None:
    assert load(PACK).digest != load(PACK + "\n").digest
    assert load(PACK).id.startswith("site@")
