"""Subjects whose rights a change may affect: noted by temporary triggers of the writing connection, for every act.

Rules of this file: foreign keys say which column of a table names a person, a place or a service, so that a table added
later is covered as well. A table that verdicts read and that has no such column affects everybody, and so does an
unclassified table. The notes may cover more than what changed, never less. Temporary tables and triggers belong to the
connection and are not in the file (sqlite.org/lang_createtrigger.html).
"""

import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

_OWN = {"people": ("id", "people"), "resources": ("key", "resources"), "services": ("id", "services")}
# Events at doors, internal data of the agent, and steps of a case: no verdict reads them. The departure of a case has a
# row of its own.
_NO_RIGHTS = frozenset(
    [
        "epoch",
        "flushed",
        "built_on",
        "recorded_changes",
        "losses",
        "hr_subjects",
        "alarms",
        "board_cards",
        "boards",
        "room_states",
        "readers",
        "doors",
        "volumes",
        "areas_mark",
        "pins",
        "cases",
        "presence",
        "proposals",
        "break_glass",
        "former_accounts",
    ]
)
# Columns about the guarding of a place, on which no right depends.
_NO_RIGHTS_IN = {"areas": frozenset(["volume"])}
_NOTED = "CREATE TEMP TABLE IF NOT EXISTS touched (person TEXT, place INTEGER, service TEXT, uid INTEGER)"


class Touched(NamedTuple):
    """What a change affects. ``pairs`` of a person and the key of a place; ``persons`` and ``places`` in every pair.

    ``uids`` are accounts that were removed from a person; ``everything``: all rights may have changed.
    """

    everything: bool
    persons: frozenset[str]
    places: frozenset[int]
    pairs: frozenset[tuple[str, int]]
    services: frozenset[str]
    uids: frozenset[tuple[int, str]]

    def without(self, people: AbstractSet[str]) -> "Touched":
        """Return it without the parts that concern only one of *people*."""
        pairs = frozenset((person, place) for person, place in self.pairs if person not in people)
        uids = frozenset((uid, person) for uid, person in self.uids if person not in people)
        return self._replace(persons=self.persons - people, pairs=pairs, uids=uids)


def watch(connection: sqlite3.Connection) -> None:
    """Note every change made through *connection*. Raises ``sqlite3.Error``."""
    connection.execute(_NOTED)
    tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
    for table in tables:
        if table not in _NO_RIGHTS and not table.startswith(("sqlite_", "case_", "_")):
            for statement in _triggers(connection, table):
                connection.execute(statement)


def begin(connection: sqlite3.Connection) -> None:
    """Discard the notes of the previous change. Raises ``sqlite3.Error``."""
    connection.execute("DELETE FROM temp.touched")


def noted(connection: sqlite3.Connection) -> Touched:
    """Return the notes since :func:`begin`. Raises ``sqlite3.Error``."""
    rows = connection.execute("SELECT DISTINCT person, place, service, uid FROM temp.touched").fetchall()
    return Touched(
        everything=any(row == (None, None, None, None) for row in rows),
        persons=frozenset(person for person, place, _, _ in rows if person and place is None),
        places=frozenset(place for person, place, service, _ in rows if place is not None and not (person or service)),
        pairs=frozenset((person, place) for person, place, _, _ in rows if person and place is not None),
        services=frozenset(service for _, _, service, _ in rows if service),
        uids=frozenset((uid, person) for person, _, _, uid in rows if uid is not None and person),
    )


def _triggers(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    named = _named(connection, table)
    people, places = (named.get(table_name) or ["NULL"] for table_name in ("people", "resources"))
    service = named.get("services", ["NULL"])[0]
    uid = "uid" if table == "accounts" else "NULL"
    for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
        notes = "; ".join(
            f"INSERT INTO touched VALUES ({_of(row, person)}, {_of(row, place)}, {_of(row, service)},"  # noqa: S608
            f" {_of(row, uid) if row == 'OLD' else 'NULL'})"
            for row in rows
            for person in people
            for place in places
        )
        name, of = f"touch_{table}_{event}", _columns(connection, table) if event == "UPDATE" else ""
        yield f"CREATE TEMP TRIGGER IF NOT EXISTS {name} AFTER {event}{of} ON main.{table} BEGIN {notes}; END"


def _columns(connection: sqlite3.Connection, table: str) -> str:
    """Return the columns of *table* whose change is noted, as a clause; an empty clause: all columns."""
    left_out = _NO_RIGHTS_IN.get(table)
    if not left_out:
        return ""
    names = [str(row[1]) for row in connection.execute(f"PRAGMA main.table_info({table})")]
    return f" OF {', '.join(name for name in names if name not in left_out)}"


def _of(row: str, column: str) -> str:
    return column if column == "NULL" else f"{row}.{column}"


def _named(connection: sqlite3.Connection, table: str) -> dict[str, list[str]]:
    """Return the columns of *table* by the table they refer to."""
    by_table: dict[str, list[str]] = {}
    if table in _OWN:
        column, referenced = _OWN[table]
        return {referenced: [column]}
    for row in connection.execute(f"PRAGMA main.foreign_key_list({table})"):
        by_table.setdefault(str(row[2]), []).append(str(row[3]))
    return by_table
