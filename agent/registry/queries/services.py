"""Queries of services, with the areas they may use.

Rules of this file: services are ordered by name.
"""

from agent.registry.queries.connection import QueryConnection, Row


class ServiceQueries:
    """Queries of services."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> list[Row]:
        """Return the services with the names of their areas."""
        with self._connection.snapshot():
            rows = self._connection.select(
                'SELECT id, uid, executable AS "executable [path]", active AS "active [bool]",'
                ' lets_in AS "lets_in [bool]", sha256 FROM services',
                order="ORDER BY id",
            )
            touched = self._connection.select(
                "SELECT service, name FROM service_areas JOIN resources ON key = resource", order="ORDER BY name"
            )
        return [row | {"areas": [area["name"] for area in touched if area["service"] == row["id"]]} for row in rows]
