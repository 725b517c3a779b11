"""Writing what door boards should hold of each card, and how far their events were taken in.

Rules of this file: what a board holds is confirmed by reading it back, never by having told it. No verdict rests on
these rows, so they are written without a new epoch.
"""

from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.boards import CardState, Wanted
from rules.text import Text

_NOTHING = Text("", "")


class BoardRepository:
    """Door boards. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def want_card(self, board: str, card: str, wanted: Wanted) -> None:
        """Say what *board* should hold of *card*; it is pending until reading back confirms it."""
        self._transaction.execute(
            "INSERT INTO board_cards (board, card, wanted, state, at) VALUES (?1, ?2, ?3, 'pending', ?4)"
            " ON CONFLICT (board, card) DO UPDATE SET wanted = ?3, state = 'pending', why_en = '', why_zh = '', at = ?4"
            " WHERE wanted <> ?3",
            board,
            card,
            wanted,
            self._transaction.stamp,
        )

    def set_card(self, board: str, card: str, state: CardState, why: Text = _NOTHING) -> None:
        """Say what reading back found. A card that is confirmed to be gone is forgotten."""
        self._transaction.execute(
            "UPDATE board_cards SET state = ?, why_en = ?, why_zh = ?, at = ? WHERE board = ? AND card = ?",
            state,
            *why,
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
        """Remember that every event of *board* up to *index* was taken in."""
        self._transaction.execute("INSERT OR REPLACE INTO boards VALUES (?, ?)", board, index)
