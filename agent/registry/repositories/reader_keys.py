"""Writing reader keys: the fingerprint of the key of each reader.

Rules of this file: the rows follow the readers and the key store, and no verdict depends on them. Only the fingerprint
of a key is stored here.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import free_text
from rules.text import Message


class ReaderKeyRepository:
    """Keys of readers. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, address: str, fingerprint: str) -> None:
        """Store the fingerprint of the key under which the reader answers now; ``""``: no key."""
        self._transaction.execute(
            "UPDATE readers SET key = ?, keyed_at = ? WHERE address = ?",
            free_text(fingerprint, Message("registry.fingerprint")),
            self._transaction.stamp if fingerprint else None,
            address,
        )
