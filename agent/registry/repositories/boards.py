"""Writing the cards that door boards should hold, and the last processed event of each board.

Rules of this file: a card on a board is confirmed by reading it back, never by the write itself. No verdict depends on
these rows, so they are written without a new epoch.
"""

from agent.language.catalogue import both
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.boards import CardState, Wanted
from rules.text import Sentence, Text

_NOTHING = Text("", "")


class BoardRepository:
    """Door boards. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def want_card(self, board: str, card: str, wanted: Wanted) -> None:
        """Store the wanted state of *card* on *board*; it is pending until reading back confirms it."""
        self._transaction.execute(
            "INSERT INTO board_cards (board, card, wanted, state, at) VALUES (?1, ?2, ?3, 'pending', ?4)"
            " ON CONFLICT (board, card) DO UPDATE SET wanted = ?3, state = 'pending', why_en = '', why_zh = '', at = ?4"
            " WHERE wanted <> ?3",
            board,
            card,
            wanted,
            self._transaction.stamp,
        )

    def set_card(self, board: str, card: str, state: CardState, reason: Sentence = _NOTHING) -> None:
        """Store the result of reading back. The row of a card that is confirmed to be gone is deleted."""
        self._transaction.execute(
            "UPDATE board_cards SET state = ?, why_en = ?, why_zh = ?, at = ? WHERE board = ? AND card = ?",
            state,
            *both(reason),
            self._transaction.stamp,
            board,
            card,
        )
        self._transaction.execute(
            "DELETE FROM board_cards WHERE board = ? AND card = ? AND wanted = 'gone' AND state = 'confirmed'",
            board,
            card,
        )

    def hear(self, board: str, index: int) -> None:
        """Record that every event of *board* up to *index* was processed."""
        self._transaction.execute("INSERT OR REPLACE INTO boards VALUES (?, ?)", board, index)
