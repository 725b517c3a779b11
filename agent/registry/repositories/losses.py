"""Writing losses: who lost what by the change under way.

Rules of this file: a row is written in the transaction of the change itself, after its entry is in the log; it is never
changed afterwards. Whether the person has the right again is asked of the registry each time.
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
        """Keep *loss*, which *act* (of *by*, for *reason*, entry *entry*) has brought; return its number."""
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
