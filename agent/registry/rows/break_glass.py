"""The row of the break-glass access.

Rules of this file: standard library only; the caller holds the read transaction. The digest of the code is not
returned.
"""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from agent.registry.columns import maybe_moment


class BreakGlass(NamedTuple):
    """The break-glass access. ``sealed_at``: when the unused code was sealed; ``broken_until``: the end of access."""

    sealed_at: datetime | None
    sealed_by: str
    broken_until: datetime | None
    broken_by: str


def now(connection: sqlite3.Connection) -> BreakGlass:
    """Return its current state."""
    row = connection.execute(
        "SELECT code IS NOT NULL, sealed_at, sealed_by, broken_until, broken_by FROM break_glass"
    ).fetchone()
    if row is None:
        return BreakGlass(None, "", None, "")
    sealed, at, by, until, broken_by = row
    return BreakGlass(maybe_moment(at) if sealed else None, by, maybe_moment(until), broken_by)
