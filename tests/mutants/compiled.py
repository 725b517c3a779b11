"""A mutation as code objects: which functions it changes, so that it can be put into a process that runs already.

Rules of this file: a function whose body changes gets another ``__code__``, under the same object, so that whoever
imported it has the mutant. What runs at import (a default, a table, a class body) can only be changed by importing the
module from changed code.
"""

import ast
import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType
from typing import NamedTuple

from tests.mutants.mutations import changes

Where = tuple[str, str, int]  # file, qualified name, first line


class Mutant(NamedTuple):
    """One mutation of one file, by its number. ``functions`` change, by where they are; ``at_import``: and the rest."""

    line: int
    what: str
    module: CodeType
    functions: Mapping[Where, CodeType]
    at_import: bool


def mutants(source: str, file: str) -> Iterator[Mutant]:
    """Yield every mutant of *source*, in the order of :func:`tests.mutants.mutations.mutations`."""
    tree = ast.parse(source)
    before = compile(tree, file, "exec", dont_inherit=True)
    for change in changes(tree):
        change.do()
        try:
            module = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
        finally:
            change.undo()
        yield _mutant(change.line, change.what, before, module)


def _mutant(line: int, what: str, before: CodeType, module: CodeType) -> Mutant:
    functions: dict[Where, CodeType] = {}
    seen: set[Where] = set()
    at_import = _own(before) != _own(module)
    for old, new, runs_at_import in _pairs(before, module):
        if runs_at_import:
            at_import = at_import or _own(old) != _own(new)
        elif old != new:
            where = (old.co_filename, old.co_qualname, old.co_firstlineno)
            at_import = at_import or old.co_freevars != new.co_freevars or where in seen
            functions[where] = new
        seen.add((old.co_filename, old.co_qualname, old.co_firstlineno))  # two lambdas of one line cannot be told apart
    return Mutant(line, what, module, functions, at_import)


def _pairs(before: CodeType, after: CodeType, *, of_class: bool = True) -> Iterator[tuple[CodeType, CodeType, bool]]:
    """Yield what lies in both, side by side, and whether it runs when the module is imported: a class body does."""
    for old, new in zip(_inner(before), _inner(after), strict=False):
        body = of_class and not old.co_flags & 0x2  # CO_NEWLOCALS: functions have it, class bodies do not
        yield old, new, body
        yield from _pairs(old, new, of_class=body)


def _inner(code: CodeType) -> Sequence[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _own(code: CodeType) -> CodeType:
    """Return *code* without what lies in it."""
    return code.replace(co_consts=tuple(None if isinstance(one, CodeType) else one for one in code.co_consts))


def loaded_functions(folder: str) -> dict[Where, list[FunctionType]]:
    """Return all functions of this process whose file is below *folder*."""
    found: dict[Where, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(folder):
            code = one.__code__
            found[(code.co_filename, code.co_qualname, code.co_firstlineno)].append(one)
    return found


def put(mutant: Mutant, functions: Mapping[Where, Sequence[FunctionType]]) -> None:
    """Make this process the mutant's."""
    for where, code in mutant.functions.items():
        for function in functions.get(where, ()):
            function.__code__ = code


def import_as(mutant: Mutant, file: str) -> None:
    """Let whatever is imported of *file* from here on be the mutant."""
    real = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        return mutant.module if loader.path == file else real(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
