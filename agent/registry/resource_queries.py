"""Lists of areas and services, of holidays and settings.

Rules of this file: what was removed is not listed; everything is ordered by name.
"""

from datetime import datetime

from agent.registry.columns import instant
from agent.registry.reader import ReadOnlyQueries, Row, when


class ResourceQueries(ReadOnlyQueries):
    """Questions about places and programs."""

    def areas(self, area: str = "") -> list[Row]:
        """Return the areas, or the one of this name, with place, mode and scope."""
        return self._resources(
            "SELECT key, name, path, level, domain, mode, enforce_confirm_by, reads, custodian, hours, secret_until,"
            " volume, added_at FROM areas JOIN resources ON key = resource",
            area,
        )

    def areas_to_confirm(self, now: datetime) -> list[str]:
        """Return the areas whose time to confirm enforce mode is over: they go back to observe."""
        rows = self._select(
            "SELECT name FROM areas JOIN resources ON key = resource",
            {"mode = 'enforce'": (), "enforce_confirm_by <= ?": (instant(now),)},
            "ORDER BY name",
        )
        return [str(row["name"]) for row in rows]

    def services(self) -> list[Row]:
        """Return the services with the names of their areas."""
        with self._together():
            rows = self._select("SELECT id, uid, executable, active FROM services", order="ORDER BY id")
            touched = self._select(
                "SELECT service, name FROM service_areas JOIN resources ON key = resource", order="ORDER BY name"
            )
        return [row | {"areas": [area["name"] for area in touched if area["service"] == row["id"]]} for row in rows]

    def holidays(self) -> list[Row]:
        """Return day and name."""
        return self._select("SELECT day, name FROM holidays", order="ORDER BY day")

    def settings(self) -> dict[str, str]:
        """Return every setting."""
        rows = self._select("SELECT name, value FROM settings", order="ORDER BY name")
        return {str(row["name"]): str(row["value"]) for row in rows}

    def _resources(self, question: str, name: str) -> list[Row]:
        with self._together():
            rows = self._select(question, when("name", name), "ORDER BY name")
            members = self._select("SELECT resource, kind, member FROM scope", order="ORDER BY member")
        scopes: dict[object, dict[str, list[object]]] = {
            row["key"]: {"person": [], "department": [], "project": []} for row in rows
        }
        for member in members:
            if member["resource"] in scopes:
                scopes[member["resource"]][str(member["kind"])].append(member["member"])
        return [row | {"scope": scopes[row.pop("key")]} for row in rows]
