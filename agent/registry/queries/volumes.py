"""Volumes that the agent was asked to mount, or to let go of.

Rules of this file: what is wanted of them; how they are is seen elsewhere.
"""

from agent.registry.queries.connection import QueryConnection
from agent.registry.rows.volumes import VolumeRow, volumes


class VolumeQueries:
    """Volumes."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> tuple[VolumeRow, ...]:
        """Return every volume, by its point."""
        return self._connection.read(volumes)

    def at(self, point: str) -> VolumeRow | None:
        """Return the volume at *point*."""
        return next((row for row in self.all() if row.point == point), None)
