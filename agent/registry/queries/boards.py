"""Queries of door boards and the cards that each should hold.

Rules of this file: rows are ordered by board and card.
"""

from agent.registry.queries.connection import QueryConnection, Row


class BoardQueries:
    """Queries of door boards."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def cards(self, *, pending: bool = False) -> list[Row]:
        """Return the cards that boards should hold; with *pending* only those not confirmed."""
        return self._connection.select(
            "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards",
            {"state = 'pending' OR ?": (not pending,)},
            "ORDER BY board, card",
        )
