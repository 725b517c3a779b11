"""The sentences of a page, and which tests fail when one of them is untrue.

``tests/docs/sentences/PAGE.toml`` has a table ``[[sentence]]`` for each: ``text``, the whole of it, and ``tests``, the
ids (``tests/…/test_x.py::test_y``) of the tests that fail when it is untrue. A page that is served in part names its
``sections`` there by their headings, and a pattern ``about``: elsewhere a sentence counts where that is found.
``python -m tests.docs.sentences PAGE`` prints what has no entry yet, ready to be filled in.

A sentence is what ends with a full stop in a paragraph or a list item, or the row of a table, its cells joined by
`` | ``. Left out are headings, fenced blocks (commands and examples: tests of their own run them) and tables whose
rows the program itself writes (``test_reference.py`` compares them): all tables of a page that begins with the mark
``made by``, and whatever stands between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

Rules of this file: it reads pages and tables as text and runs no test; tests are looked up in the syntax tree of their
file, without importing it.
"""

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests import ROOT

TABLES = Path(__file__).with_suffix("")
_END = re.compile(r"(?:(?<=[.?!])|(?<=[.?!]\)))\s+(?=[A-Z`*(\u4e00-\u9fff])|(?<=。)")
_MADE = "<!-- made by"
_MARK = re.compile(r"<!-- [\w-]+: (begin|end) -->")


class Sentence(NamedTuple):
    """One sentence of a page, and the heading it stands under (empty before the first)."""

    section: str
    text: str


class Served(NamedTuple):
    """A table as it was read: what of the page it serves (``sections`` is ``None``: all of it), and its entries."""

    sections: tuple[str, ...] | None
    about: re.Pattern[str] | None
    entries: tuple[tuple[str, tuple[str, ...]], ...]

    def serves(self, sentence: Sentence) -> bool:
        """Say whether *sentence* needs an entry here."""
        if self.sections is None or sentence.section in self.sections:
            return True
        return self.about is not None and self.about.search(sentence.text) is not None


def sentences(page: str) -> Iterator[Sentence]:
    """Yield every sentence of the Markdown *page*, in order."""
    made, hidden, section = _MADE in page, False, ""
    row: list[str] = []
    before: Token | None = None
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        if token.type == "html_block" and (mark := _MARK.search(token.content)):
            hidden = mark[1] == "begin"
        elif token.type == "inline" and before is not None and not hidden:
            if before.type == "heading_open":
                section = token.content
            elif before.type == "td_open":
                row.append(token.content)
            elif before.type == "paragraph_open":
                yield from (Sentence(section, text) for text in _split(token.content))
        elif token.type == "tr_close" and row:
            if not made:
                yield Sentence(section, " | ".join(row))
            row = []
        before = token


def _split(paragraph: str) -> Iterator[str]:
    return (text for text in _END.split(" ".join(paragraph.split())) if text)


def served(table: Path) -> Served:
    """Read one table; raise ``ValueError`` when a member is not understood, or an entry names no test."""
    read = tomllib.loads(table.read_text(encoding="utf-8"))
    entries = tuple((entry.pop("text"), tuple(entry.pop("tests"))) for entry in read["sentence"])
    if any(read["sentence"]) or set(read) - {"sentence", "sections", "about"}:
        raise ValueError(f"{table.name} has members nobody reads")
    if without := [text for text, tests in entries if not tests]:
        raise ValueError(f"{table.name} names no test for `{without[0]}`")
    sections = read.get("sections")
    about = read.get("about")
    return Served(
        tuple(sections) if sections is not None else None, re.compile(about) if about is not None else None, entries
    )


def exists(test: str) -> bool:
    """Say whether the test ``path::name`` or ``path::Class::name`` stands in the tree."""
    path, _, name = test.partition("::")
    return name in _defined(ROOT / path)


@functools.cache
def _defined(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body))


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}::{name}" for name in _names(node.body))


def missing(page: str, table: Served) -> list[str]:
    """Return the sentences of *page* that *table* should have and has not."""
    known = {text for text, _tests in table.entries}
    return [one.text for one in sentences(page) if table.serves(one) and one.text not in known]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = TABLES / f"{Path(name).stem}.toml"
        table = served(path) if path.exists() else Served(None, None, ())
        for text in missing((ROOT / "docs" / f"{Path(name).stem}.md").read_text(encoding="utf-8"), table):
            print(f"[[sentence]]\ntext = '''{text}'''\ntests = []\n")
