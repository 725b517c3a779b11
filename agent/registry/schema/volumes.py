"""Statements of the migration that added volumes: disks that the agent mounts and releases itself.

Rules of this file: a released migration never changes; tables are changed by a new migration. A row is the wanted
state; the actual state is observed, never stored. ``uuid`` is the number of the filesystem or container, "" if not
given.
"""

from agent.registry.schema.column_types import WORD

VOLUMES = (
    f"""CREATE TABLE volumes (
        point BLOB PRIMARY KEY,
        device BLOB NOT NULL,
        uuid {WORD},
        options {WORD},
        key_file BLOB NOT NULL DEFAULT x'',
        wanted TEXT NOT NULL CHECK (wanted IN ('attached', 'published', 'hidden')),
        by {WORD},
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)
