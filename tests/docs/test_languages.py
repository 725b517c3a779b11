"""Pages in two languages: the Chinese page of a pair has the headings, lists, tables and code of the English one."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests import ROOT
from tests.docs.reference import DOCS

# README.md and README.zh.md show what the program prints, in their language; test_readme.py compares their commands.
PAGES = [DOCS / f"{name}.md" for name in ("architecture", "limits", "threat-model")]
_CODE = re.compile(r"`[^`\n]+`")
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
_ITEM = re.compile(r"(#+ |\d+\. |- )")
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff] ?[,:;()?!]|[,:;(] ?[\u4e00-\u9fff]")
_REPLACED_WORDS = ("代理", "撤权")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def chinese(page: Path) -> Path:
    """Return the Chinese counterpart of *page*."""
    return page.with_name(f"{page.stem}.zh.md")


def structure(page: Path) -> list[str]:
    """Return the headings, list items and table rows of *page* in order, each row with its number of cells."""
    text = _BLOCK.sub("```", page.read_text(encoding="utf-8"))
    rows = (f"row {len(_CELL.findall(line))}" if line.startswith("|") else _item(line) for line in text.splitlines())
    return [row for row in rows if row]


def _item(line: str) -> str:
    item = _ITEM.match(line)
    return item[1] if item else ""


def code(page: Path) -> Counter[str]:
    """Return each piece of code of *page* outside of blocks, with how often it is there."""
    return Counter(_CODE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))))


@each_page
def test_both_pages_have_the_same_structure_and_code(page: Path) -> None:
    assert structure(chinese(page)) == structure(page)
    assert code(chinese(page)) == code(page)


@each_page
def test_both_pages_name_each_other(page: Path) -> None:
    assert f"]({chinese(page).name})" in page.read_text(encoding="utf-8")
    assert f"English: [{page.name}]({page.name})" in chinese(page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*map(chinese, PAGES), ROOT / "README.zh.md"], ids=lambda page: page.stem)
def test_the_chinese_page_has_full_width_punctuation_and_the_words_of_the_glossary(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)|!\[", "", _BLOCK.sub("", page.read_text(encoding="utf-8")))
    assert _HALF_WIDTH.findall(text) == []
    assert [word for word in _REPLACED_WORDS if word in text] == []
