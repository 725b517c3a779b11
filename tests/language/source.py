"""The catalogues as files, and the messages of the code: read, never run.

Rules of this file: a :class:`Message` in the code has a literal code, so that this can find it. Whatever else stands in
quotes and is the code of an entry uses that entry, too: tables name codes by themselves.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from string import Formatter
from typing import NamedTuple

from babel.messages.pofile import read_po

from agent.language.catalogue import FOLDER
from tests import ROOT

PRODUCT = ("agent", "rules", "tui")
_REBUILDS = "rules/text.py"  # it rebuilds messages whose code came with them
CODE = re.compile(r"[a-z]+\.[a-z0-9-]+")


class Entry(NamedTuple):
    """One entry of one language: a form for each number that this language tells apart, or one."""

    file: str
    forms: tuple[str, ...]
    plural: bool

    @property
    def placeholders(self) -> list[frozenset[str]]:
        """Return what each form names."""
        return [
            frozenset(name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(form) if name is not None)
            for form in self.forms
        ]


class Site(NamedTuple):
    """One message in the code. ``names`` are its parameters, ``None`` when the code computes them."""

    place: str
    code: str | None
    names: frozenset[str] | None


@cache
def entries(language: str) -> dict[str, Entry]:
    """Return every entry of one language by its code; those of argparse have its own sentence for a code."""
    read = {}
    for source in sorted((FOLDER / language).glob("*.po")):
        for message in read_po(BytesIO(source.read_bytes()), locale=language, abort_invalid=True):
            if message.id:
                code, plural = (message.id, False) if isinstance(message.id, str) else (message.id[0], True)
                forms = (message.string,) if isinstance(message.string, str) else tuple(message.string)
                read[code] = Entry(source.name, forms, plural)
    return read


@cache
def sites() -> tuple[Site, ...]:
    """Return every message of the code."""
    return tuple(site for name, tree in _trees() if name != _REBUILDS for site in _messages(name, tree))


@cache
def quoted_at() -> dict[str, tuple[str, ...]]:
    """Return the files of everything in the code that looks like a code."""
    files = defaultdict[str, dict[str, None]](dict)
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                files[node.value][name] = None
    return {code: tuple(names) for code, names in files.items()}


@cache
def _trees() -> tuple[tuple[str, ast.Module], ...]:
    files = sorted(file for package in PRODUCT for file in (ROOT / package).rglob("*.py"))
    return tuple((str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))) for file in files)


def _messages(name: str, tree: ast.Module) -> Iterator[Site]:
    later = any(isinstance(node, ast.Attribute) and node.attr == "about" for node in ast.walk(tree))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message"):
            continue
        place = f"{name}:{node.lineno}"
        named = [keyword.arg for keyword in node.keywords]
        whole = None not in named and not later
        names = frozenset(name for name in named if name) if whole else None
        for code in _codes(node.args[0]):
            yield Site(place, code, names)


def _codes(node: ast.expr) -> Iterator[str | None]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_codes(body), *_codes(orelse))
        case _:
            yield None
