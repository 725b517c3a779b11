"""Queries of lockdowns, of a room or of the whole site.

Rules of this file: lockdowns are in the order in which they were placed.
"""

from agent.registry.queries.connection import QueryConnection, Row


class LockdownQueries:
    """Queries of lockdowns."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, *, lifted: bool = False) -> list[Row]:
        """Return the lockdowns in force, or with *lifted* all of them; ``room`` is ``""`` for the whole site."""
        return self._connection.select(
            "SELECT printf('L%06d', number) AS id, coalesce(name, '') AS room, since, placed_by, reason, lifted_at,"
            " lifted_by, lift_reason FROM lockdowns LEFT JOIN resources ON key = room",
            {"lifted_at IS NULL OR ?": (lifted,)},
            "ORDER BY number",
        )
