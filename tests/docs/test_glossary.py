"""The glossary: every term is used by the program, has its Chinese, its meaning in both languages, and a source."""

import re

import pytest

from rules.pack.clauses import read_clauses
from tests import ROOT
from tests.language.source import entries

_HEAD = "| English |"
ROWS = [
    tuple(cell.strip() for cell in line.strip("| \n").split(" | "))
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith((_HEAD, "| ---", "|---"))
]
# Terms of the rules and of documents, which the program itself never says.
_ELSEWHERE = {
    *("classified carrier", "secrecy period", "key department, key location", "witness", "checkpoint", "remediation"),
    *("inspection", "register", "label", "leaving the post", "leaving the unit"),
}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SPOKEN = {
    language: "\n".join(form for e in entries(language).values() for form in e.forms) for language in ("en", "zh")
}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_term_has_its_chinese_its_meaning_and_its_source(row: tuple[str, ...]) -> None:
    term, chinese, meaning, source = row
    assert _CHINESE.search(chinese)
    assert not _CHINESE.search(term)
    assert _CHINESE.search(meaning)
    assert re.search(r"[a-z]{3}", meaning)
    clauses = {
        clause.id for clause in read_clauses((ROOT / "rules" / "clauses.csv").read_text(encoding="utf-8")).values()
    }
    assert source and set(re.findall(r"D\d\d-[\w.]+", source)) <= clauses  # noqa: PT018


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_program_says_the_term_in_both_languages(row: tuple[str, ...]) -> None:
    term, chinese, *_ = row
    if term in _ELSEWHERE:
        return
    for language, words in (("en", re.split(r", | \(", term)), ("zh", re.split("[、（]", chinese))):
        assert [
            word for word in words if word.strip(")").removeprefix("the ").lower() not in _SPOKEN[language].lower()
        ] == []


@pytest.mark.parametrize("page", ["README.zh.md", *sorted(p.name for p in (ROOT / "docs").glob("*.zh.md"))])
def test_the_chinese_pages_use_the_words_of_the_glossary(page: str) -> None:
    file = ROOT / page if page.startswith("README") else ROOT / "docs" / page
    text = file.read_text(encoding="utf-8")
    assert [word for word in ("撤权", "代理程序", "代理进程", "本代理") if word in text] == []


def test_no_sentence_says_what_the_glossary_calls_otherwise() -> None:
    for word in ("撤权", "代理", "提议 ", "安全员", "审计员（"):
        said = [code for code, e in entries("zh").items() for form in e.forms if word in form]
        assert said == [], word
