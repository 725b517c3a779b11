"""Queries of areas, with path, mode and scope.

Rules of this file: removed areas are not listed.
"""

from datetime import datetime

from agent.registry.columns import instant
from agent.registry.queries.connection import QueryConnection, Row
from agent.registry.queries.scopes import with_scope

_AREAS = (
    'SELECT key, name, path AS "path [path]", level AS "level [level]", domain, mode, enforce_confirm_by, reads,'
    ' custodian, hours, secret_until, volume AS "volume [json]", added_at FROM areas JOIN resources ON key = resource'
)


class AreaQueries:
    """Queries of areas."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, area: str = "") -> list[Row]:
        """Return all areas, or the one of this name, ordered by name."""
        return with_scope(self._connection, _AREAS, area)

    def to_confirm(self, now: datetime) -> list[str]:
        """Return the areas whose time to confirm enforce mode has passed: they return to observe mode."""
        rows = self._connection.select(
            "SELECT name FROM areas JOIN resources ON key = resource",
            {"mode = 'enforce'": (), "enforce_confirm_by <= ?": (instant(now),)},
            "ORDER BY name",
        )
        return [str(row["name"]) for row in rows]
