"""Writing losses: the rights that the current change takes from people.

Rules of this file: a row is written in the transaction of the change itself, after its entry is in the log, and never
changed afterwards. The registry says each time whether the person has the right again.
"""

import json

from agent.registry.columns import numbered
from agent.registry.repositories.transaction import Transaction
from rules.rights import Loss


class LossRepository:
    """Losses. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, loss: Loss, *, act: str, entry: int, by: str, reason: str = "") -> str:
        """Store *loss*, caused by *act* (of *by*, for *reason*, entry *entry*); return its number."""
        added = self._transaction.insert(
            "losses",
            person=loss.person,
            areas=json.dumps(loss.areas, ensure_ascii=False),
            rooms=json.dumps(loss.rooms, ensure_ascii=False),
            uids=json.dumps(loss.uids),
            act=act,
            entry=entry,
            by=by,
            reason=reason,
            at=self._transaction.stamp,
        )
        return numbered("L", added)
