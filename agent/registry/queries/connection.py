"""A read-only connection whose rows are dictionaries ready for JSON.

Rules of this file: an instant is its stored text. Any other conversion is named in the selected column, as in ``active
AS "active [bool]"``: true or false, the word of a level, a path as text with surrogates for bytes that are not UTF-8, a
value from JSON. Foreign text is unchanged: code that shows it to a person passes it through ``visible``. Queries and
conditions are constants of the program; foreign values are only bound to question marks.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from agent.registry.columns import path_text
from agent.registry.connect import damaged, translate_sqlite_errors
from agent.registry.dataclass_columns import DataclassColumns
from agent.registry.snapshot import SnapshotReader
from rules.model import Level

Row = dict[str, object]
Conditions = Mapping[str, tuple[object, ...]]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_TYPES: Mapping[str, Callable[[Any], object]] = {
    "": lambda stored: stored,
    "bool": bool,
    "level": lambda stored: Level(stored).word,
    "path": path_text,
    "json": json.loads,
}


class QueryConnection(SnapshotReader):
    """The connection behind every list. One thread at a time.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (damaged).
    """

    def select(self, question: str, conditions: Conditions | None = None, order: str = "") -> list[Row]:
        """Return the rows of *question* under the conditions that have a value for each of their question marks."""
        applied = {
            condition: values for condition, values in (conditions or {}).items() if len(values) == condition.count("?")
        }
        clause = " WHERE " + " AND ".join(f"({condition})" for condition in applied) if applied else ""
        values = [parameter for bound in applied.values() for parameter in bound]
        with translate_sqlite_errors(self.path):
            cursor = self._connection.execute(f"{question}{clause} {order}", values)
            rows = cursor.fetchall()
        columns = [_column(name) for name, *_ in cursor.description]
        try:
            return [_row(columns, row) for row in rows]
        except ValueError as error:
            raise damaged(self.path, str(error)) from error

    def read(
        self, question: Callable[Concatenate[sqlite3.Connection, _P], _T], *args: _P.args, **named: _P.kwargs
    ) -> _T:
        """Return the result of a function of :mod:`agent.registry.rows`."""
        with translate_sqlite_errors(self.path):
            return question(self._connection, *args, **named)


def when(column: str, wanted: str) -> Conditions:
    """Return the condition that *column* equals *wanted*, or no condition for an empty value."""
    return {f"{column} = ?": (wanted,) if wanted else ()}


def selected(columns: DataclassColumns[Any]) -> str:
    """Return the columns of a dataclass for ``SELECT``, each with its declared type."""
    return ", ".join(f'{name} AS "{name} [bool]"' if kind is bool else name for name, kind in columns.types.items())


def _column(name: str) -> tuple[str, Callable[[Any], object]]:
    label, _, kind = name.partition(" [")
    return label, _TYPES[kind.removesuffix("]")]


def _row(columns: list[tuple[str, Callable[[Any], object]]], row: tuple[Any, ...]) -> Row:
    pairs = zip(columns, row, strict=True)
    return {label: None if stored is None else convert(stored) for (label, convert), stored in pairs}
