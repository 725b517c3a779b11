"""Queries of the settings of the site.

Rules of this file: the code that sets a name defines its meaning.
"""

from agent.registry.queries.connection import QueryConnection


class SettingQueries:
    """Queries of settings."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> dict[str, str]:
        """Return every setting."""
        rows = self._connection.select("SELECT name, value FROM settings", order="ORDER BY name")
        return {str(row["name"]): str(row["value"]) for row in rows}
