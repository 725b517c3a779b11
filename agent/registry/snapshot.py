"""One read-only connection whose answers come from one consistent snapshot.

Rules of this file: standard library only, read only, no cache. The epoch that goes with an answer is read in the same
short transaction. A file that cannot be trusted gets an error, never an empty answer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import RefusedError
from agent.registry.connect import connect, current, damaged, translate_sqlite_errors
from rules.text import Text


class SnapshotReader:
    """One thread at a time; not across ``fork``.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (the file is damaged, or another one has taken its place).
    """

    def __init__(self, path: Path, copied: sqlite3.Connection | None = None) -> None:
        """*copied*: a copy of the registry at *path*, which is read in its place."""
        self.path = path
        self._connection = copied or connect(path, "ro")
        try:
            current(path, self._connection)
            with translate_sqlite_errors(path):
                self._file = _identity(path)
                self._version = -1
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; using the reader afterwards is an error."""
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """Yield the epoch; every question asked inside the block is answered from the same instant."""
        if self._connection.in_transaction:
            yield self._epoch()
            return
        with translate_sqlite_errors(self.path):
            self._connection.execute("BEGIN")
        try:
            yield self._epoch()
        finally:
            with translate_sqlite_errors(self.path):
                self._connection.commit()  # does nothing when SQLite has ended it by itself after an error

    def copy_into(self, empty: sqlite3.Connection, most: int) -> None:
        """Write the registry, as it is at one instant, into another database.

        Raises :class:`agent.errors.RefusedError` for one of more than *most* bytes.
        """
        with translate_sqlite_errors(self.path), self.snapshot():
            [pages], [size] = (
                self._connection.execute(f"PRAGMA {of}").fetchone() for of in ("page_count", "page_size")
            )
            if pages * size > most:
                raise RefusedError(
                    Text("the registry is too large to be copied", "登记库过大，无法复制"),
                    Text("let the act show what it does", "请直接执行该操作查看结果"),
                )
            self._connection.backup(empty)

    def epoch(self) -> int:
        """Return the number of changes committed so far."""
        with self._reading() as epoch:
            return epoch

    def changed(self) -> bool:
        """Tell whether somebody committed since the last call; true the first time. A few microseconds.

        Raises :class:`agent.errors.FatalError` when the file was removed or replaced: what this connection still sees
        is then nobody's registry.
        """
        with translate_sqlite_errors(self.path):
            [now] = self._connection.execute("PRAGMA data_version").fetchone()
        self.require_same_file()
        before, self._version = self._version, now
        return bool(now != before)

    def require_same_file(self) -> None:
        """Raise :class:`agent.errors.FatalError` when the file was removed or replaced."""
        if _identity(self.path) != self._file:
            raise damaged(self.path, "another file has taken its place")

    @contextmanager
    def _reading(self) -> Iterator[int]:
        """A snapshot whose rows are turned into objects: a word that none of them knows is damage too."""
        with translate_sqlite_errors(self.path), self.snapshot() as epoch:
            try:
                yield epoch
            except (ValueError, TypeError, KeyError) as error:
                raise damaged(self.path, str(error)) from error

    def _epoch(self) -> int:
        with translate_sqlite_errors(self.path):
            found = self._connection.execute("SELECT epoch FROM epoch").fetchone()
        if found is None:
            raise damaged(self.path, "the epoch is missing")
        return int(found[0])


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise damaged(path, str(error.strerror)) from error
    return status.st_dev, status.st_ino
