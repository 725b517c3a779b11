"""Statements of the migration that added the mark of the areas, which differs after every change of them.

Rules of this file: a released migration never changes; tables are changed by a new migration. The mark is random, not a
counter, so that two registries that diverged from one copy never have the same mark.
"""

from agent.registry.schema.column_types import WORD

_ANOTHER = "UPDATE areas_mark SET mark = lower(hex(randomblob(16)))"

AREAS_MARK = (
    f"CREATE TABLE areas_mark (id INTEGER PRIMARY KEY CHECK (id = 1), mark {WORD}) STRICT",
    "INSERT INTO areas_mark VALUES (1, lower(hex(randomblob(16))))",
    *(
        f"CREATE TRIGGER mark_{table}_{event.lower()} AFTER {event} ON {table} BEGIN {_ANOTHER}; END"
        for table in ("areas", "resources")
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
)
