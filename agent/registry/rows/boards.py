"""Rows of door boards: the cards that each should hold, and its last processed event.

Rules of this file: standard library only; the caller holds the read transaction. Cards confirmed to be gone are left
out.
"""

import sqlite3
from datetime import datetime
from typing import Literal, NamedTuple

from agent.registry.columns import moment
from rules.text import Sentence, Text

Wanted = Literal["put", "gone"]
CardState = Literal["pending", "confirmed"]


class CardRow(NamedTuple):
    """The wanted state of one card on one board, and whether reading back has confirmed it."""

    board: str
    card: str
    wanted: Wanted
    state: CardState
    why: Sentence
    at: datetime


def board_cards(connection: sqlite3.Connection) -> tuple[CardRow, ...]:
    """Return the cards that every board should hold, and whether each is confirmed."""
    rows = connection.execute(
        "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards ORDER BY board, card"
    )
    return tuple(
        CardRow(board, card, wanted, state, Text(en, zh), moment(at)) for board, card, wanted, state, en, zh, at in rows
    )


def heard(connection: sqlite3.Connection) -> dict[str, int]:
    """Return, per board, the index of the last event that was processed."""
    return dict(connection.execute("SELECT board, heard FROM boards"))
