"""Alarms.

Rules of this file: everything is in the order it was raised.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


class AlarmQueries:
    """Alarms."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def find(self, room: str = "", *, acknowledged: bool = False) -> list[Row]:
        """Return the alarms that wait for somebody, or with *acknowledged* all of them."""
        return self._connection.select(
            "SELECT printf('A%06d', number) AS id, kind, room, door, person, text_en, text_zh, at, seq, acked_at,"
            " acked_by, note FROM alarms",
            {**when("room", room), "acked_at IS NULL OR ?": (acknowledged,)},
            "ORDER BY number",
        )
