"""One read-only connection that answers in dictionaries ready for JSON.

Rules of this file: an instant is its stored text. What else is not as it lies says so where it is selected, as in
``active AS "active [bool]"``: true or false, a level's word, a path as text with surrogates for bytes that are not
UTF-8, a value out of JSON. Foreign text is as it came: whoever shows it to a person passes it through ``visible``.
Questions and conditions are our own words; what comes from outside is only ever bound to a question mark.
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
    """What every list is read through. One thread at a time.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (damaged).
    """

    def select(self, question: str, conditions: Conditions | None = None, order: str = "") -> list[Row]:
        """Ask under the conditions that come with a value for each of their question marks."""
        asked = {said: values for said, values in (conditions or {}).items() if len(values) == said.count("?")}
        where = " WHERE " + " AND ".join(f"({said})" for said in asked) if asked else ""
        values = [value for given in asked.values() for value in given]
        with translate_sqlite_errors(self.path):
            cursor = self._connection.execute(f"{question}{where} {order}", values)
            rows = cursor.fetchall()
        columns = [_column(name) for name, *_ in cursor.description]
        try:
            return [_row(columns, row) for row in rows]
        except ValueError as error:
            raise damaged(self.path, str(error)) from error

    def read(
        self, question: Callable[Concatenate[sqlite3.Connection, _P], _T], *args: _P.args, **named: _P.kwargs
    ) -> _T:
        """Return what a function of :mod:`agent.registry.rows` finds."""
        with translate_sqlite_errors(self.path):
            return question(self._connection, *args, **named)


def when(column: str, value: str) -> Conditions:
    """Return the condition that *column* equals *value*, or none for an empty value."""
    return {f"{column} = ?": (value,) if value else ()}


def selected(columns: DataclassColumns[Any]) -> str:
    """Return the columns of a dataclass for ``SELECT``, each as it is declared."""
    return ", ".join(f'{name} AS "{name} [bool]"' if kind is bool else name for name, kind in columns.types.items())


def _column(name: str) -> tuple[str, Callable[[Any], object]]:
    label, _, kind = name.partition(" [")
    return label, _TYPES[kind.removesuffix("]")]


def _row(columns: list[tuple[str, Callable[[Any], object]]], row: tuple[Any, ...]) -> Row:
    pairs = zip(columns, row, strict=True)
    return {label: None if stored is None else convert(stored) for (label, convert), stored in pairs}
