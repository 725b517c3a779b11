"""Pieces of Markdown: a table, a section that is made anew between its two marks, code in a docstring."""

import re
from collections.abc import Iterable, Mapping

_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_SECTION = "<!-- {name}: begin -->\n\n{text}\n<!-- {name}: end -->"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [head, tuple("---" for _ in head), *rows]
    text = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return f"{text}\n"


def filled(page: str, sections: Mapping[str, str]) -> str:
    """Return *page* with each of *sections* between its marks; raise ``ValueError`` when the page lacks them."""
    for name, text in sections.items():
        found = re.compile(rf"<!-- {name}: begin -->.*?<!-- {name}: end -->", re.DOTALL)
        if len(found.findall(page)) != 1:
            raise ValueError(f"the page has not one section `{name}`")
        page = found.sub(lambda _, name=name, text=text: _SECTION.format(name=name, text=text), page)
    return page


def code(docstring: str) -> str:
    """Return one line of a docstring as Markdown."""
    return _ROLE.sub(r"`\1`", docstring).replace("``", "`")
