"""Door boards, and what each should hold.

Rules of this file: everything is ordered by board and card.
"""

from agent.registry.queries.connection import QueryConnection, Row


class BoardQueries:
    """Door boards."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def cards(self, *, pending: bool = False) -> list[Row]:
        """Return what boards should hold of which card; with *pending* only what is not confirmed."""
        return self._connection.select(
            "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards",
            {"state = 'pending' OR ?": (not pending,)},
            "ORDER BY board, card",
        )
