"""From rows to door boards: the cards each should hold, and how far its events were taken in.

Rules of this file: standard library only; the caller holds the read transaction. What is confirmed to be gone is not
here.
"""

import sqlite3
from datetime import datetime
from typing import Literal, NamedTuple

from agent.registry.columns import moment
from rules.text import Text

Wanted = Literal["put", "gone"]
CardState = Literal["pending", "confirmed"]


class CardRow(NamedTuple):
    """What one board should hold of one card, and whether reading back has confirmed it."""

    board: str
    card: str
    wanted: Wanted
    state: CardState
    why: Text
    at: datetime


def board_cards(connection: sqlite3.Connection) -> tuple[CardRow, ...]:
    """Return what every board should hold, and what of it is confirmed."""
    rows = connection.execute(
        "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards ORDER BY board, card"
    )
    return tuple(
        CardRow(board, card, wanted, state, Text(en, zh), moment(at)) for board, card, wanted, state, en, zh, at in rows
    )


def heard(connection: sqlite3.Connection) -> dict[str, int]:
    """Return, per board, the index of the last event that was taken in."""
    return dict(connection.execute("SELECT board, heard FROM boards"))
