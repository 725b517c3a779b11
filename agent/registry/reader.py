"""One read-only connection that answers in dictionaries ready for JSON.

Rules of this file: an instant is its stored text, a level its word, a path text with surrogates for bytes that are not
UTF-8. Foreign text is as it came: whoever shows it to a person passes it through ``visible``. Questions and conditions
are our own words; what comes from outside is only ever bound to a question mark.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.registry.columns import path_text
from agent.registry.connect import connect, current, damaged, translate_sqlite_errors
from rules.model import Level

Row = dict[str, object]
Conditions = Mapping[str, tuple[object, ...]]

_ASKED = ("two_person", "needs_purpose", "needs_declaration", "needs_pin", "first_in", "accompany", "lone_alarm")
_TRUTHS = frozenset(("active", "passed", "temporary", "two_officers", "contact", "declares", "duress", *_ASKED))


class ReadOnlyQueries:
    """The part every kind of list shares. One thread at a time.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (damaged).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path, "ro")
        try:
            current(path, self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._connection.row_factory = sqlite3.Row

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _select(self, question: str, conditions: Conditions | None = None, order: str = "") -> list[Row]:
        """Ask under the conditions that come with a value for each of their question marks."""
        asked = {said: values for said, values in (conditions or {}).items() if len(values) == said.count("?")}
        where = " WHERE " + " AND ".join(f"({said})" for said in asked) if asked else ""
        values = [value for given in asked.values() for value in given]
        with translate_sqlite_errors(self.path):
            rows = self._connection.execute(f"{question}{where} {order}", values).fetchall()
        try:
            return [{name: _plain(name, value) for name, value in zip(row.keys(), row, strict=True)} for row in rows]
        except ValueError as error:
            raise damaged(self.path, str(error)) from error

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Answer every question of the block from the same instant."""
        with translate_sqlite_errors(self.path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with translate_sqlite_errors(self.path):
                self._connection.commit()


def when(column: str, value: str) -> Conditions:
    """Return the condition that *column* equals *value*, or none for an empty value."""
    return {f"{column} = ?": (value,) if value else ()}


def _plain(name: str, value: object) -> object:
    if name in _TRUTHS:
        return bool(value)
    if name == "level" and isinstance(value, int):
        return Level(value).word
    if isinstance(value, bytes):
        return path_text(value)
    if name == "volume":
        return json.loads(str(value))
    return value
