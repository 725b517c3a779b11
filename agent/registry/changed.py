"""The difference that a change makes, row by row, before and after: the history in the log entry of an act.

    {"table": "clearances", "before": {"person": "E1", "domain": "state", "level": 1}, "after": {…, "level": 3}}

Rules of this file: only tables in :data:`LOGGED_TABLES` are logged, so that a table with secrets is never logged by
accident. Of a changed row the key and the columns that differ are logged; of a new or deleted row, the columns that
are not empty. An area or a room is logged by its name. The triggers and their notes are temporary and belong to the
connection (sqlite.org/lang_createtrigger.html); :mod:`agent.registry.touched` has triggers of its own.
"""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

LOGGED_TABLES = (
    "people", "projects", "clearances", "accounts", "badges", "resources", "scope", "areas", "rooms", "services",
    "service_areas", "grants", "holds", "records", "departures", "settings", "holidays", "doors", "visits", "lockdowns",
)  # fmt: skip
_LEFT_OUT = frozenset([("areas", "volume")])  # identification of a volume: long, and no right depends on it
_MOST_ROWS, _MOST_BYTES = 40, 6000
WHOLE = (2000, 400_000)  # rows and bytes of a difference that an officer reads before confirming it
_NOTED = "CREATE TEMP TABLE IF NOT EXISTS changed (name TEXT, before TEXT, after TEXT)"


class Changes(NamedTuple):
    """The first rows that a change wrote, in order, and the number of further rows."""

    rows: tuple[dict[str, Any], ...]
    more: int

    def to_json(self) -> dict[str, Any]:
        """Return the changes as fields of a log entry; no fields when nothing was written."""
        if not self.rows and not self.more:
            return {}
        return {"changes": list(self.rows)} | ({"changes_more": self.more} if self.more else {})


def watch(connection: sqlite3.Connection) -> None:
    """Record every change made through *connection*. Raises ``sqlite3.Error``."""
    connection.execute(_NOTED)
    for table in LOGGED_TABLES:
        for statement in _triggers(connection, table):
            connection.execute(statement)


def begin(connection: sqlite3.Connection) -> None:
    """Discard the notes of the previous change. Raises ``sqlite3.Error``."""
    connection.execute("DELETE FROM temp.changed")


def noted(connection: sqlite3.Connection, most_rows: int = _MOST_ROWS, most_bytes: int = _MOST_BYTES) -> Changes:
    """Return the changes noted since :func:`begin`, up to the size limits of an entry. Raises ``sqlite3.Error``."""
    keys = {table: _keys(connection, table) for table in LOGGED_TABLES}
    rows: list[dict[str, Any]] = []
    size = more = 0
    question = "SELECT name, CAST(before AS BLOB), CAST(after AS BLOB) FROM temp.changed ORDER BY rowid"
    for table, before, after in connection.execute(question):
        if len(rows) == most_rows or size > most_bytes:
            more += 1
        elif difference := _difference(table, keys[table], _read(before), _read(after)):
            rows.append(difference)
            size += len(before or b"") + len(after or b"")
    return Changes(tuple(rows), more)


def _difference(
    table: str, keys: frozenset[str], old: dict[str, Any] | None, new: dict[str, Any] | None
) -> dict[str, Any]:
    if old is None or new is None:
        filled = {name: cell for name, cell in (old or new or {}).items() if cell not in (None, "")}
        return {"table": table, "before": filled if old else None, "after": filled if new else None}
    differ = {name for name in new if old[name] != new[name]}
    if not differ:
        return {}
    names = [name for name in new if name in differ | keys]
    return {
        "table": table,
        "before": {name: old[name] for name in names},
        "after": {name: new[name] for name in names},
    }


def _read(text: bytes | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text.decode(errors="surrogateescape"))


def _keys(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(str(row[1]) for row in connection.execute(f"PRAGMA main.table_info({table})") if row[5])


def _triggers(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [
        (str(row[1]), str(row[2]))
        for row in connection.execute(f"PRAGMA main.table_info({table})")
        if (table, str(row[1])) not in _LEFT_OUT
    ]
    places = {
        str(row[3]) for row in connection.execute(f"PRAGMA main.foreign_key_list({table})") if row[2] == "resources"
    }
    for event, before, after in (("INSERT", "", "NEW"), ("UPDATE", "OLD", "NEW"), ("DELETE", "OLD", "")):
        row = ", ".join(_object(of, columns, places) if of else "NULL" for of in (before, after))
        name, note = f"tell_{table}_{event}", f"INSERT INTO changed VALUES ('{table}', {row})"  # noqa: S608 - our own
        yield f"CREATE TEMP TRIGGER IF NOT EXISTS {name} AFTER {event} ON main.{table} BEGIN {note}; END"


def _object(row: str, columns: list[tuple[str, str]], places: set[str]) -> str:
    pairs = (f"'{name}', {_column_expression(row, name, kind, places)}" for name, kind in columns)
    return f"json_object({', '.join(pairs)})"


def _column_expression(row: str, column: str, kind: str, places: set[str]) -> str:
    if column in places:  # the name of the area or room, as people know it
        return f"(SELECT name FROM main.resources WHERE key = {row}.{column})"  # noqa: S608 - names of our own
    return f"CAST({row}.{column} AS TEXT)" if kind == "BLOB" else f"{row}.{column}"
