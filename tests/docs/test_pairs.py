"""Each page of ``docs`` with a Chinese page: both link each other and have the same headings, rows and code."""

import re
from pathlib import Path

import pytest

from tests.docs.reference import DOCS

CHINESE = sorted(DOCS.glob("*.zh.md"))
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+# .*$", re.MULTILINE)


@pytest.mark.parametrize("chinese", CHINESE, ids=lambda page: page.name)
def test_a_page_and_its_chinese_page_have_the_same_parts(chinese: Path) -> None:
    english = DOCS / chinese.name.replace(".zh.md", ".md")
    pages = [page.read_text(encoding="utf-8") for page in (english, chinese)]
    assert f"]({chinese.name})" in pages[0]
    assert f"]({english.name})" in pages[1]
    first, second = map(_parts, pages)
    assert first == second


def _parts(page: str) -> list[str]:
    """Return the depth of headings, the rows of tables by their columns, and what is run, in order."""
    parts = []
    for kind, code in _FENCE.findall(page):
        if kind == "mermaid":  # its labels are words; its arrows are counted
            parts += ["arrow"] * len(re.findall(r"-->|---|--x|<-->", code))
            continue
        shown = [line for line in code.splitlines() if kind != "console" or line.startswith("$ ")]
        parts += [line for line in (_COMMENT.sub("", line).strip() for line in shown) if kind and line]
    for line in _FENCE.sub("", page).splitlines():
        if line.startswith("#"):
            parts.append(line.partition(" ")[0])
        elif line.startswith("| ") and not line.startswith("| --"):
            parts.append("|")
    return parts
