"""A read-only connection whose answers come from one consistent snapshot.

Rules of this file: standard library only, read only, no cache. The epoch of an answer is read in the same short
transaction. A file that cannot be trusted raises an error, never returns an empty answer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import RefusedError
from agent.registry.connect import connect, current, damaged, translate_sqlite_errors
from rules.text import Message


class SnapshotReader:
    """A reader of snapshots. One thread at a time; not across ``fork``.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (the file is damaged, or another one has taken its place).
    """

    def __init__(self, path: Path, copied: sqlite3.Connection | None = None) -> None:
        """Open the registry at *path*; *copied*: a copy of it that is read instead."""
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
        """Yield the epoch; every query inside the block reads the same instant."""
        if self._connection.in_transaction:
            yield self._epoch()
            return
        with translate_sqlite_errors(self.path):
            self._connection.execute("BEGIN")
        try:
            yield self._epoch()
        finally:
            with translate_sqlite_errors(self.path):
                self._connection.commit()  # does nothing when SQLite has already ended it after an error

    def copy_into(self, empty: sqlite3.Connection, most: int) -> None:
        """Copy the registry, at one instant, into another database.

        Raises :class:`agent.errors.RefusedError` for a registry of more than *most* bytes.
        """
        with translate_sqlite_errors(self.path), self.snapshot():
            [pages], [size] = (
                self._connection.execute(f"PRAGMA {of}").fetchone() for of in ("page_count", "page_size")
            )
            if pages * size > most:
                raise RefusedError(
                    Message("registry.registry-too-large-to-copy"),
                    Message("registry.run-act-to-see-effect"),
                )
            self._connection.backup(empty)

    def epoch(self) -> int:
        """Return the number of changes committed so far."""
        with self._reading() as epoch:
            return epoch

    def changed(self) -> bool:
        """Return whether there was a commit since the last call; true at the first call. A few microseconds.

        Raises :class:`agent.errors.FatalError` when the file was removed or replaced: this connection then reads a file
        that is no longer the registry.
        """
        with translate_sqlite_errors(self.path):
            [now] = self._connection.execute("PRAGMA data_version").fetchone()
        self.require_same_file()
        before, self._version = self._version, now
        return bool(now != before)

    def require_same_file(self) -> None:
        """Raise :class:`agent.errors.FatalError` when the file was removed or replaced."""
        if _identity(self.path) != self._file:
            raise damaged(self.path, Message("registry.file-replaced"))

    @contextmanager
    def _reading(self) -> Iterator[int]:
        """Yield the epoch of a snapshot whose rows become objects: an unknown enum value counts as damage."""
        with translate_sqlite_errors(self.path), self.snapshot() as epoch:
            try:
                yield epoch
            except (ValueError, TypeError, KeyError) as error:
                raise damaged(self.path, str(error)) from error

    def _epoch(self) -> int:
        with translate_sqlite_errors(self.path):
            row = self._connection.execute("SELECT epoch FROM epoch").fetchone()
        if row is None:
            raise damaged(self.path, Message("registry.epoch-missing"))
        return int(row[0])


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise damaged(path, str(error.strerror)) from error
    return status.st_dev, status.st_ino
