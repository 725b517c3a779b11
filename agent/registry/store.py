"""The registry store of the control process: one change at a time, each one transaction with an epoch.

Rules of this file: a change is complete or absent, whenever the process dies. It is applied first and committed last;
in between the caller writes the log entry, so that no change exists without a log entry. After an error that leaves the
outcome of a commit unknown, nothing more is written: the process stops and starts again from the file.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import FatalError, ShoumiError
from agent.registry import changed, checkpoints, touched
from agent.registry.connect import WRITE_SECONDS, busy, connect, current, damaged, translate_sqlite_errors
from agent.registry.migrations import upgrade
from agent.registry.repositories.registry_transaction import RegistryTransaction, UnversionedTransaction
from agent.registry.repositories.transaction import Transaction
from rules.text import Message


class Registry:
    """The one writer of a process. Threads take turns; other processes wait up to five seconds."""

    def __init__(self, path: Path) -> None:
        """Open an existing registry, bring its schema up to date and check every page.

        Raises :class:`agent.errors.RefusedError` (missing, newer, busy) or :class:`agent.errors.FatalError` (damaged).
        """
        upgrade(path)
        self.path = path
        self._connection = connect(path, "rw")
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._unknown: FatalError | None = None
        self._flush_at = checkpoints.MOST
        try:
            current(path, self._connection)
            _look_through(path, self._connection)
            with translate_sqlite_errors(path):
                touched.watch(self._connection)
                changed.watch(self._connection)
            self._flush()
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
        """Make a final checkpoint, so that the file alone is the registry, and close the connection."""
        with self._turn:
            if self._unknown is None:
                with suppress(FatalError):
                    self._flush(keep=False)
            self._connection.close()

    @contextmanager
    def change(self, at: datetime) -> Iterator[RegistryTransaction]:
        """Open a change at the instant *at*; the end of the block commits it, an exception rolls it back.

        The lock of the database is held for the whole block, which should only apply the writes and append the entry.
        Raises :class:`agent.errors.RefusedError` when another change stays open for longer than five seconds.
        """
        with self._alone(at) as transaction:
            transaction.advance_epoch()
            yield RegistryTransaction(transaction)

    @contextmanager
    def note(self, at: datetime) -> Iterator[UnversionedTransaction]:
        """Open a transaction for events at doors, which does not change the epoch."""
        with self._alone(at) as transaction:
            yield UnversionedTransaction(transaction)

    @contextmanager
    def _alone(self, at: datetime) -> Iterator[Transaction]:
        if self._holder == threading.get_ident():
            raise RuntimeError("changes do not nest")
        if not self._turn.acquire(timeout=WRITE_SECONDS):
            raise busy(self.path)
        self._holder = threading.get_ident()
        try:
            transaction = self._begin(at)
            try:
                yield transaction
                transaction.commit()
                if checkpoints.size(self.path) > self._flush_at:
                    self._flush()
            except FatalError as error:
                self._unknown = error
                raise
            finally:
                transaction.rollback()
        finally:
            self._holder = None
            self._turn.release()

    def _begin(self, at: datetime) -> Transaction:
        if self._unknown is not None:
            raise self._unknown
        with translate_sqlite_errors(self.path):
            self._connection.widen(checkpoints.MOST)
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with translate_sqlite_errors(self.path):
                checkpoints.build(self._connection)
                touched.begin(self._connection)
                changed.begin(self._connection)
            return Transaction(self.path, self._connection, at, self._epoch())
        except BaseException:
            self._connection.rollback()
            raise

    def _flush(self, *, keep: bool = True) -> None:
        """Make a checkpoint. If it fails, it is tried again later.

        On a disk that is nearly full the write-ahead log keeps its blocks, unless *keep* is false.
        """
        with suppress(ShoumiError), translate_sqlite_errors(self.path):
            checkpoints.flush(self._connection, WRITE_SECONDS, keep=keep and checkpoints.little_room(self.path))
        self._flush_at = checkpoints.size(self.path) + checkpoints.MOST

    def _epoch(self) -> int:
        with translate_sqlite_errors(self.path):
            row = self._connection.execute("SELECT epoch FROM epoch").fetchone()
        if row is None:
            raise damaged(self.path, Message("registry.epoch-missing"))
        return int(row[0])


def _look_through(path: Path, connection: sqlite3.Connection) -> None:
    with translate_sqlite_errors(path):
        [verdict] = connection.execute("PRAGMA quick_check(1)").fetchone()
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
    if orphan is not None:
        raise damaged(path, Message("registry.dangling-reference", table=orphan[0]))
