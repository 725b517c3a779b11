"""Every sentence of a page that is served has tests that fail when it is untrue, and no entry outlives its sentence."""

from pathlib import Path

import pytest

from tests.docs.reference import DOCS
from tests.docs.sentences import TABLES, Sentence, Served, exists, missing, sentences, served

PAGES = sorted(TABLES.glob("*.toml"))
each_page = pytest.mark.parametrize("table", PAGES, ids=lambda table: table.stem)

_TABLE = "\n| what | follows |\n|---|---|\n| one `a|b` | two. Three |\n"
_PAGE = f"""\
# Title

It holds. `it` holds
too (see 1.5 a). But: not this. (Nor this.) It ends.

- an item; it goes on
  here. And ends.

## Second

```sh
left out. Entirely.
```
{_TABLE}
<!-- rows: begin -->

| left | out |
|---|---|
| left | out |

<!-- rows: end -->

最后一句。另一句。
"""


def test_a_page_is_split_into_its_sentences() -> None:
    said = [
        Sentence("Title", "It holds."),
        Sentence("Title", "`it` holds too (see 1.5 a)."),
        Sentence("Title", "But: not this."),
        Sentence("Title", "(Nor this.)"),
        Sentence("Title", "It ends."),
        Sentence("Title", "an item; it goes on here."),
        Sentence("Title", "And ends."),
        Sentence("Second", "one `a|b` | two. Three"),
        Sentence("Second", "最后一句。"),
        Sentence("Second", "另一句。"),
    ]
    page = _PAGE.replace("a|b", r"a\|b")
    assert list(sentences(page)) == said
    made = f"<!-- made by `x` -->\n\n{page}"
    assert list(sentences(made)) == [one for one in said if "|" not in one.text]


def test_a_page_that_is_served_in_part_is_asked_for_that_part(tmp_path: Path) -> None:
    table = tmp_path / "page.toml"
    table.write_text("sections = ['Second']\nabout = 'ends'\n[[sentence]]\ntext = '最后一句。'\ntests = ['t::x']\n")
    assert missing("It ends. It goes.\n\n# Second\n\n最后一句。另一句。", served(table)) == ["It ends.", "另一句。"]


def test_an_entry_that_names_no_test_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "page.toml"
    table.write_text("[[sentence]]\ntext = 'It holds.'\ntests = []\n")
    with pytest.raises(ValueError, match="names no test"):
        served(table)


def test_a_test_is_found_by_its_name_alone() -> None:
    here = f"tests/docs/{Path(__file__).name}"
    assert exists(f"{here}::test_a_test_is_found_by_its_name_alone")
    assert not exists(f"{here}::test_of_no_such_name")
    assert not exists(f"{here}::missing")
    assert not exists("tests/docs/test_of_no_such_file.py::test_x")


@each_page
def test_every_sentence_has_an_entry(table: Path) -> None:
    page = (DOCS / f"{table.stem}.md").read_text(encoding="utf-8")
    assert not missing(page, served(table)), f"run: python -m tests.docs.sentences {table.stem}"


@each_page
def test_every_entry_has_its_sentence_once(table: Path) -> None:
    read: Served = served(table)
    said = {one.text for one in sentences((DOCS / f"{table.stem}.md").read_text(encoding="utf-8")) if read.serves(one)}
    entries = [text for text, _tests in read.entries]
    assert sorted(entries) == sorted(said & set(entries)), "entries without a sentence, or two of one"


@each_page
def test_every_test_that_is_named_stands_in_the_tree(table: Path) -> None:
    assert not [test for _text, tests in served(table).entries for test in tests if not exists(test)]
