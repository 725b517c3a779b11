"""Small wrong changes of a source file, one at a time: what a mutation test puts to the tests.

Rules of this file: pure; a mutation changes meaning, never layout, and what it makes is a program. Docstrings,
annotations and texts for people are left alone: no test should hold them to the letter.
"""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
_CALLS = {"all": "any", "any": "all", "min": "max", "max": "min"}


class Mutation(NamedTuple):
    """One change: where it is, what it does in words, and the whole source with it."""

    line: int
    what: str
    source: str


class Change(NamedTuple):
    """The same as something that can be done to the tree, and undone."""

    line: int
    what: str
    do: Callable[[], None]
    undo: Callable[[], None]


def mutations(source: str) -> Iterator[Mutation]:
    """Yield every mutation of *source*, in the order of the text."""
    tree = ast.parse(source)
    for change in changes(tree):
        change.do()
        try:
            yield Mutation(change.line, change.what, ast.unparse(tree))
        finally:
            change.undo()


def changes(tree: ast.AST) -> list[Change]:
    """Return every change of *tree*, in the order of the text."""
    return sorted(_changes(tree), key=lambda change: (change.line, change.what))


def count(source: str) -> int:
    """Return how many mutations *source* has."""
    return sum(1 for _ in _changes(ast.parse(source)))


def _changes(tree: ast.AST) -> Iterator[Change]:
    for node in _walk(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in _COMPARE:
                yield _swap(node, "ops", [_COMPARE[type(op)]()], f"{_name(op)} becomes {_COMPARE[type(op)].__name__}")
            case ast.BinOp(op=op) if type(op) in _BINARY:
                yield _swap(node, "op", _BINARY[type(op)](), f"{_name(op)} becomes {_BINARY[type(op)].__name__}")
            case ast.BoolOp(op=op):
                other = ast.Or() if isinstance(op, ast.And) else ast.And()
                yield _swap(node, "op", other, f"{_name(op)} becomes {_name(other)}")
            case ast.UnaryOp(op=ast.Not()):
                yield _swap(node, "operand", ast.UnaryOp(ast.Not(), node.operand), "Not is gone")
            case ast.Constant(value=bool(value)):
                yield _swap(node, "value", not value, f"{value} becomes {not value}")
            case ast.Constant(value=int(value)):
                yield _swap(node, "value", value + 1, f"{value} becomes {value + 1}")
            case ast.Return(value=ast.expr()) if not _is_none(node.value):
                yield _swap(node, "value", ast.Constant(None), "returns None")
            case ast.If(test=test) | ast.IfExp(test=test):
                yield _swap(node, "test", ast.Constant(value=False), "the condition is never true")
                yield _swap(node, "test", ast.BoolOp(ast.Or(), [test, ast.Constant(value=True)]), "… is always true")
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield _swap(node.func, "id", _CALLS[name], f"{name} becomes {_CALLS[name]}")


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that do something: no annotations, no texts for people, no raises."""
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr | ast.Raise | ast.Assert):
                yield from _walk(child)


def _swap(node: ast.AST, field: str, other: object, what: str) -> Change:
    before = getattr(node, field)
    line = getattr(node, "lineno", 0)
    return Change(line, what, lambda: setattr(node, field, other), lambda: setattr(node, field, before))


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _name(op: ast.AST) -> str:
    return type(op).__name__
