"""Statements of the migration that added the tie between registry and log, and between the file and its WAL.

Rules of this file: a released migration never changes; tables are changed by a new migration. One row for each act,
written in the commit of its change: the number of its log entry, its epoch, and an id that the entry also holds.
``flushed`` and ``built_on``: see :mod:`agent.registry.checkpoints`; each has a database page of its own.
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
