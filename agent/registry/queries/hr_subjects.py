"""How HR names people.

Rules of this file: everything is in the order of the people.
"""

from agent.registry.queries.connection import QueryConnection, Row


class HrSubjectQueries:
    """Names of HR's."""

    def __init__(self, connection: QueryConnection) -> None:
        self._connection = connection

    def all(self) -> list[Row]:
        """Return every name, whose it is, since when and by whom."""
        return self._connection.select(
            "SELECT person, format, iss, value, since, added_by FROM hr_subjects",
            order="ORDER BY person, format, value",
        )

    def person(self, form: str, iss: str, value: str) -> str | None:
        """Return whose the name is, ``None`` where the site says nothing of it."""
        found = self._connection.select(
            "SELECT person FROM hr_subjects", {"format = ?": (form,), "iss = ?": (iss,), "value = ?": (value,)}
        )
        return str(found[0]["person"]) if found else None
