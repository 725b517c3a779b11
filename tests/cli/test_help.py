"""Every command can be asked for help in both languages, and the answer is in that language."""

import re

import pytest

from agent.cli.__main__ import COMMANDS, NOUNS

HAN = re.compile("[\u4e00-\u9fff]")
ENGLISH_OF_ARGPARSE = re.compile(r"usage:|options:|positional arguments|show this help message")
LINES = [(), *((noun,) for noun in NOUNS), *(command.names for command in COMMANDS)]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_help_is_in_the_language_asked_for(run, words: tuple[str, ...]) -> None:
    chinese = run(*words, "--help", language="zh")
    english = run(*words, "--help", language="en")
    assert (chinese.code, english.code) == (0, 0)
    assert HAN.search(chinese.out)
    assert chinese.out.startswith("用法：shoumi")
    assert chinese.out.count("用法") == 1
    assert not ENGLISH_OF_ARGPARSE.search(chinese.out)
    assert english.out.startswith("usage: shoumi")
    without_words_of_the_trade = re.sub(r"\(核心 …\)", "", english.out)
    assert not HAN.search(without_words_of_the_trade)
    for option in ("--home", "--json"):
        assert option in english.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frob",),
        ("person",),
        ("person", "frob"),
        ("person", "add"),
        ("person", "add", "E1", "--frob"),
        ("person", "add", "E1", "--name"),
        ("account", "add", "E1", "many"),
        ("log", "list", "--limit", "-1"),
    ],
    ids=" ".join,
)
def test_a_line_that_is_not_understood_is_usage_in_both_languages(run, words: tuple[str, ...]) -> None:
    for language, hint in (("en", "hint: "), ("zh", "提示：")):
        said = run(*words, language=language)
        assert said.code == 2
        assert said.out == ""
        first, second = said.err.splitlines()
        assert first.startswith("shoumi: ")
        assert second.startswith(hint)
        assert bool(HAN.search(first)) == (language == "zh"), first


@pytest.mark.parametrize(
    ("language", "first"),
    [("en", "shoumi: `--limit`: must be a number, not '-1'"), ("zh", "shoumi: `--limit`：应为数字，而不是 '-1'")],
)
def test_a_value_that_is_not_a_number_is_named_with_its_option(run, language: str, first: str) -> None:
    assert run("log", "list", "--limit", "-1", language=language).err.splitlines()[0] == first
