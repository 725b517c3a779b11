"""An open change of the registry: its connection, instant and epoch.

Rules of this file: a refusal ends the change. It must leave the block, or the ``attempt`` in which it occurred, because
a write of several rows may have begun. Names of tables and columns are constants of the program; foreign values are
only bound to question marks.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from agent.registry.columns import instant
from agent.registry.connect import translate_sqlite_errors

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Transaction:
    """The transaction through which every repository writes.

    ``at`` is the instant of the change and ``stamp`` its stored form; ``epoch`` is the epoch of the change.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, at: datetime, epoch: int) -> None:
        self.path = path
        self.at = at
        self.stamp = instant(at)
        self.epoch = epoch
        self._connection = connection
        self._open = True

    def advance_epoch(self) -> None:
        """Take the next epoch: the first write of every change on which verdicts depend."""
        self.lift_epoch(self.epoch)

    def lift_epoch(self, above: int) -> None:
        """Take an epoch above *above*, unless the change has one."""
        if self.epoch <= above:
            self.epoch = above + 1
            self.execute("UPDATE epoch SET epoch = ?, changed_at = ?", self.epoch, self.stamp)

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement. Raises what :func:`agent.registry.connect.translate_sqlite_errors` says."""
        self._require_open()
        with translate_sqlite_errors(self.path):
            return self._connection.execute(statement, values)

    def row(self, question: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row of the result, ``None`` when there is none."""
        with translate_sqlite_errors(self.path):
            first = self.execute(question, *values).fetchone()
        return None if first is None else tuple(first)

    def read(
        self, question: Callable[Concatenate[sqlite3.Connection, _P], _T], *args: _P.args, **named: _P.kwargs
    ) -> _T:
        """Return the result of a function of :mod:`agent.registry.rows`, including the writes so far."""
        self._require_open()
        with translate_sqlite_errors(self.path):
            return question(self._connection, *args, **named)

    def insert(self, table: str, /, **columns: object) -> int:
        """Insert a row, and return its row number."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        number = self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *columns.values()).lastrowid  # noqa: S608 - names of our own
        assert number is not None
        return number

    def update(self, table: str, key: str, key_value: object, /, **columns: object) -> None:
        """Write the columns that are not ``None`` where *key* equals *key_value*."""
        changed = {name: content for name, content in columns.items() if content is not None}
        if changed:
            assignments = ", ".join(f"{name} = ?" for name in changed)
            self.execute(f"UPDATE {table} SET {assignments} WHERE {key} = ?", *changed.values(), key_value)  # noqa: S608 - names of our own

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo only the writes of the block when it raises; the change continues."""
        self.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK TO attempt")
            raise
        finally:
            self.execute("RELEASE attempt")

    def commit(self) -> None:
        """Make the change durable. The end of the block does the same; afterwards the change accepts no writes.

        Raises :class:`agent.errors.RefusedError` when the disk is full (certainly rolled back) and
        :class:`agent.errors.FatalError` when it is unknown whether the change is on disk.
        """
        if not self._open:
            return
        try:
            self.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._open = False

    def rollback(self) -> None:
        """Discard the change, for a rehearsal or after an error."""
        if self._open:
            self._open = False
            with suppress(sqlite3.Error):  # SQLite has already ended it; the first error is the one to report
                self._connection.rollback()

    def _require_open(self) -> None:
        if not self._open:
            raise RuntimeError("this change is already committed or rolled back")
