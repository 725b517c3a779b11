"""Writing which key each reader answers under.

Rules of this file: keys follow what readers and the key store say, and no verdict rests on them. The key itself is not
here, only its fingerprint.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.validation import words
from rules.text import Text


class ReaderKeyRepository:
    """Keys of readers. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def set(self, address: str, fingerprint: str) -> None:
        """Remember which key the reader answers under now; ``""``: none."""
        self._transaction.execute(
            "UPDATE readers SET key = ?, keyed_at = ? WHERE address = ?",
            words(fingerprint, Text("fingerprint", "指纹")),
            self._transaction.stamp if fingerprint else None,
            address,
        )
