"""Queries of the names under which the personnel system knows people.

Rules of this file: rows are ordered by person.
"""

from agent.registry.queries.connection import QueryConnection, Row


class HrSubjectQueries:
    """Queries of names in the personnel system."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> list[Row]:
        """Return every name with its person, its time and the officer who added it."""
        return self._connection.select(
            "SELECT person, format, iss, value, since, added_by FROM hr_subjects",
            order="ORDER BY person, format, value",
        )

    def person(self, form: str, iss: str, hr_name: str) -> str | None:
        """Return the person of a name, ``None`` when the name is not registered."""
        rows = self._connection.select(
            "SELECT person FROM hr_subjects", {"format = ?": (form,), "iss = ?": (iss,), "value = ?": (hr_name,)}
        )
        return str(rows[0]["person"]) if rows else None
