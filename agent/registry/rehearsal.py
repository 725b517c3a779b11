"""Rehearsal of a change: it is applied to a copy of the registry in memory, and discarded with the copy.

    one instant of the registry ─▶ before: a copy ─▶ after: a copy of it, to which the change is applied

Rules of this file: a rehearsal never takes the lock of the registry: an act that ends access does not wait for it, and
waits for the interpreter no longer than one short slice of work. A copy is never on a disk. The size of the registry
and the duration of a rehearsal are bounded here; their number at a time is bounded by the scheduler of queries. Source:
sqlite.org/backup.html.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from agent.errors import RefusedError
from agent.registry import changed, touched
from agent.registry.connect import translate_sqlite_errors
from agent.registry.facts import FactsReader
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.repositories.transaction import Transaction
from rules.text import Message

MOST = 256 << 20  # bytes of a registry that is copied; a registry of 20,000 people has 4 MB
SECONDS = 30.0  # an import of 20,000 people takes about 4
_WORK = _REST = 0.005  # seconds: the interpreter's lock is free for acts half of the time


@contextmanager
def rehearsed_change(registry: FactsReader, at: datetime) -> Iterator[tuple[FactsReader, RegistryTransaction]]:
    """Yield the registry as it is, and a change of it at the instant *at* that is discarded.

    Raises :class:`RefusedError` when it takes longer than :data:`SECONDS`, or when the registry is too large.
    """
    path, until = registry.path, time.monotonic() + SECONDS
    with closing(_memory(path)) as before, closing(_memory(path)) as after:
        registry.copy_into(before, MOST)
        with translate_sqlite_errors(path):
            before.backup(after)
            before.execute("PRAGMA query_only = ON")
            after.execute("PRAGMA foreign_keys = ON")
            touched.watch(after)
            changed.watch(after)
            after.execute("BEGIN")
            [epoch] = after.execute("SELECT epoch FROM epoch").fetchone()
        transaction = _TimedTransaction(path, after, at, int(epoch), until)
        transaction.advance_epoch()
        try:
            yield FactsReader(path, before), RegistryTransaction(transaction)
        finally:
            transaction.rollback()


class _TimedTransaction(Transaction):
    """A transaction that works *until* an instant of ``time.monotonic`` and sleeps at regular intervals."""

    def __init__(self, path: Path, connection: sqlite3.Connection, at: datetime, epoch: int, until: float) -> None:
        super().__init__(path, connection, at, epoch)
        self._until = until
        self._rest_at = 0.0

    def _require_open(self) -> None:
        super()._require_open()
        now = time.monotonic()
        if now > self._rest_at:
            time.sleep(_REST)
            self._rest_at = time.monotonic() + _WORK
        if now > self._until:
            raise RefusedError(
                Message("registry.effect-takes-too-long"),
                Message("registry.split-act"),
            )


def _memory(path: Path) -> sqlite3.Connection:
    with translate_sqlite_errors(path):
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA trusted_schema = OFF")
    return connection
