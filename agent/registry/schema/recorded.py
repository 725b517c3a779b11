"""The statements of the migration that brought the tie between registry and log, and between the file and its WAL.

Rules of this file: what it says is history, and tables are changed by adding a migration. One row for each act, written
in the commit that makes its change: the number of its entry in the log, the epoch it brought, and an id that the entry
holds as well. ``flushed`` and ``built_on``: see :mod:`agent.registry.checkpoints`; each has a page of its own.
"""

RECORDED = (
    """CREATE TABLE recorded_changes (
        entry INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL,
        change TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE flushed (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT",
    "CREATE TABLE built_on (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT",
    "INSERT INTO flushed VALUES (1, 0)",
    "INSERT INTO built_on VALUES (1, 0)",
)
