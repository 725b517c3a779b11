"""Queries of alarms.

Rules of this file: alarms are in the order in which they were raised.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class AlarmQueries:
    """Queries of alarms."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "", *, acknowledged: bool = False) -> list[Row]:
        """Return the open alarms, or with *acknowledged* all of them."""
        return self._connection.select(
            "SELECT printf('A%06d', number) AS id, kind, room, door, person, text_en, text_zh, at, seq, acked_at,"
            " acked_by, note FROM alarms",
            {**when("room", room), "acked_at IS NULL OR ?": (acknowledged,)},
            "ORDER BY number",
        )
