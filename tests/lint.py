"""The rules of the tree that no linter knows: ``python -m tests.lint`` names every place that breaks one.

    one concept, one name   a public class of the product is defined once
    one file, one idea      no file has more than 400 lines, those of the tests included
    one folder, one thing   no folder of the product has more than 40 files, or five whose names begin with one word,
                            and each says in one line what it is
    a reference leads       what a docstring names in ``:class:`` and the like is there
    a header says a thing   no docstring of a module begins with What, Who, Whether, How, Where, When or Why
    a name says a thing     words that name nothing are bound at most five times in a thousand lines (tests/names.py)
    a sentence has a code   no Chinese, and no text in both languages, stands in the code (agent/language has them)

Rules of this file: it reads the files as text and runs none of them, so that it is quick enough for every commit.
"""

import ast
import builtins
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests import ROOT, names

PRODUCT = ("agent", "rules", "tui")
MOST_LINES = 400
MOST_FILES = 40
MOST_OF_ONE_PREFIX = 4
_QUESTION = ("What", "Who", "Whether", "How", "Where", "When", "Why")
_CHINESE = re.compile("[\u3000-\u9fff\uff00-\uffef]")
_AGENT = ("hr_drop", "language/catalogue", "registry/csv_import", "runtime/config")
_DEMO = ("building", "cast", "live", "looking", "rehearsal")
_TERMINAL = ("filters", "forms", "render/cells", "render/operation")
# In these files Chinese is matched with input, is data of the demo's site, or goes to another host or into a file.
MATCHED_WORDS = {
    "rules/model.py",
    *(f"agent/{name}.py" for name in _AGENT),
    *(f"agent/demo/{name}.py" for name in _DEMO),
    *(f"tui/{name}.py" for name in _TERMINAL),
}
PURE = ("rules/checks/", "rules/offboarding/", "rules/pack/", "agent/rooms/panel/")
_ROLE = re.compile(r":(?:class|meth|func|data|attr|mod|exc):`~?([\w.]+)`")


class Module(NamedTuple):
    """One file of the product, read. ``names`` is all that is defined or imported in it, members included."""

    path: Path
    text: str
    tree: ast.Module
    names: frozenset[str]


def modules() -> dict[str, Module]:
    """Return every module of the product by its dotted name."""
    return dict(module(path, text) for path, text in texts(*PRODUCT).items())


def texts(*packages: str) -> dict[Path, str]:
    """Return the text of every file of these packages by its path in the tree."""
    paths = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


def module(path: Path, text: str) -> tuple[str, Module]:
    """Return the dotted name of the file at *path* in the tree, and what it holds."""
    tree = ast.parse(text)
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    return name, Module(path, text, tree, frozenset(_names(tree)))


def problems(tree: Mapping[str, Module]) -> Iterator[str]:
    """Yield one line for every place that breaks a rule of the tree."""
    yield from _classes(tree)
    yield from too_long({module.path: module.text for module in tree.values()})
    yield from _files(tree)
    yield from _folders(tree)
    yield from _references(tree)
    yield from _vague(tree)
    yield from _sentences(tree)


def too_long(files: Mapping[Path, str]) -> Iterator[str]:
    """Yield one line for every file that has more lines than one idea takes."""
    for path, text in files.items():
        if (lines := len(text.splitlines())) > MOST_LINES:
            yield f"{path}:{MOST_LINES + 1}: the file has {lines} lines, more than {MOST_LINES}"


def _classes(tree: Mapping[str, Module]) -> Iterator[str]:
    places = defaultdict(list)
    for module in tree.values():
        for node in _outermost(module.tree.body):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{module.path}:{node.lineno}")
    for name, where in places.items():
        for place in where[1:]:
            yield f"{place}: class `{name}` is also defined at {where[0]}"


def _outermost(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those under an ``if`` or a ``try``."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _outermost((*node.body, *node.orelse))


def _files(tree: Mapping[str, Module]) -> Iterator[str]:
    for module in tree.values():
        says = ast.get_docstring(module.tree)
        if module.path.name != "__init__.py" and says is None:
            yield f"{module.path}:1: the file does not say what it is"
        if says and says.split()[0] in _QUESTION:
            yield f"{module.path}:1: the header asks a question: begin with the name of the thing"


def _folders(tree: Mapping[str, Module]) -> Iterator[str]:
    folders = defaultdict(list)
    for module in tree.values():
        folders[module.path.parent].append(module)
    for folder, files in folders.items():
        first = next((module for module in files if module.path.name == "__init__.py"), None)
        says = (ast.get_docstring(first.tree) or "").splitlines() if first else []
        if not says or len(says[0].split()) < 3:
            yield f"{folder}/__init__.py:1: the folder does not say in one line what it is"
        if len(files) > MOST_FILES:
            yield f"{folder}: {len(files)} files, more than {MOST_FILES}"
        prefixes = Counter(module.path.stem.split("_")[0] for module in files if "_" in module.path.stem.strip("_"))
        for prefix, count in prefixes.items():
            if count > MOST_OF_ONE_PREFIX:
                yield f"{folder}: {count} files begin with `{prefix}_`: they are a folder"


def _vague(tree: Mapping[str, Module]) -> Iterator[str]:
    lines = Counter[str]()
    for module in tree.values():
        lines[module.path.parts[0]] += len(module.text.splitlines())
    return names.vague({module.path: module.tree for module in tree.values()}, lines)


def _sentences(tree: Mapping[str, Module]) -> Iterator[str]:
    for module in tree.values():
        if str(module.path) in MATCHED_WORDS:
            continue
        docstrings = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(module.tree):
            match node:
                case ast.Constant(value=str(text)) if id(node) not in docstrings and _CHINESE.search(text):
                    yield f"{module.path}:{node.lineno}: a sentence in the code: give it a code in agent/language"
                case ast.Call(func=ast.Name(id="visible")) if str(module.path).startswith(PURE):
                    yield f"{module.path}:{node.lineno}: the pure core shows nothing: the catalogue calls `visible`"
                case ast.Call(func=ast.Name(id="Text"), args=[ast.Constant(value=str(text)), *_]) if text:
                    yield f"{module.path}:{node.lineno}: a text in the code: give it a code in agent/language"


def _references(tree: Mapping[str, Module]) -> Iterator[str]:
    everywhere = frozenset().union(*(module.names for module in tree.values()))
    for module in tree.values():
        for number, line in enumerate(module.text.splitlines(), 1):
            for target in _ROLE.findall(line):
                if not _leads(target, module, tree, everywhere):
                    yield f"{module.path}:{number}: `{target}` leads nowhere"


def _leads(target: str, module: Module, tree: Mapping[str, Module], everywhere: frozenset[str]) -> bool:
    first, *rest = target.lstrip(".").split(".")
    if first not in PRODUCT:
        return first in module.names or (rest[-1] if rest else first) in everywhere or hasattr(builtins, first)
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        if found := tree.get(".".join(parts[:length])):
            return all(part in found.names for part in parts[length:])
    return False


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=asname):
                yield (asname or name).split(".")[0]


def main() -> int:
    """Print what breaks a rule; return 1 if anything does."""
    found = [*problems(modules()), *too_long(texts("tests"))]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
