"""The common part of area and room queries: the scope of each.

Rules of this file: rows are ordered by name.
"""

from agent.registry.queries.connection import QueryConnection, Row, when


def with_scope(connection: QueryConnection, question: str, name: str) -> list[Row]:
    """Return the rows of *question*, or the one named *name*, each with its scope in place of its ``key``."""
    with connection.snapshot():
        rows = connection.select(question, when("name", name), "ORDER BY name")
        members = connection.select("SELECT resource, kind, member FROM scope", order="ORDER BY member")
    scopes: dict[object, dict[str, list[object]]] = {
        row["key"]: {"person": [], "department": [], "project": []} for row in rows
    }
    for member in members:
        if member["resource"] in scopes:
            scopes[member["resource"]][str(member["kind"])].append(member["member"])
    return [row | {"scope": scopes[row.pop("key")]} for row in rows]
