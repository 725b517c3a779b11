"""From a row to the break-glass as the site has it.

Rules of this file: standard library only; the caller holds the read transaction. The digest of the code stays here.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import maybe_moment


class BreakGlass(NamedTuple):
    """``sealed_at``: since when a code waits to be used, ``None`` for none. ``broken_until``: while root restores."""

    sealed_at: datetime | None
    sealed_by: str
    broken_until: datetime | None
    broken_by: str


def now(connection: sqlite3.Connection) -> BreakGlass:
    """Return how it is."""
    row = connection.execute(
        "SELECT code IS NOT NULL, sealed_at, sealed_by, broken_until, broken_by FROM break_glass"
    ).fetchone()
    if row is None:
        return BreakGlass(None, "", None, "")
    sealed, at, by, until, broken_by = row
    return BreakGlass(maybe_moment(at) if sealed else None, by, maybe_moment(until), broken_by)
