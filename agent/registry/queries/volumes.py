"""Queries of volumes that the agent was asked to mount or release.

Rules of this file: only the wanted state; the actual state is observed elsewhere.
"""

from agent.registry.queries.connection import QueryConnection
from agent.registry.rows.volumes import VolumeRow, volumes


class VolumeQueries:
    """Queries of volumes."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> tuple[VolumeRow, ...]:
        """Return every volume, ordered by mount point."""
        return self._connection.read(volumes)

    def at(self, point: str) -> VolumeRow | None:
        """Return the volume at *point*."""
        return next((row for row in self.all() if row.point == point), None)
