"""The statements of the migration that brought a mark of the areas: another one after every change of them.

Rules of this file: what it says is history, and tables are changed by adding a migration. The mark is random and no
count, so that two registries that went different ways from one copy never have the same one.
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
