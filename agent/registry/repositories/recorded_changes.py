"""Writing the tie between registry and log: the log entry of each change.

Rules of this file: a row is written in the transaction of the change itself, after its entry is in the log.
"""

from agent.registry.repositories.transaction import Transaction


class RecordedChangeRepository:
    """Changes and their entries. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, entry: int, change: str) -> None:
        """Record that the current change is entry number *entry*, which holds the id *change*."""
        self._transaction.insert("recorded_changes", entry=entry, epoch=self._transaction.epoch, change=change)

    def forget_after(self, entry: int) -> None:
        """Delete the changes without a log entry: the log uses the numbers after *entry* for other entries."""
        self._transaction.execute("DELETE FROM recorded_changes WHERE entry > ?", entry)
