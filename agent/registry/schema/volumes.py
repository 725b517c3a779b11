"""The statements of the migration that brought volumes: disks the agent mounts and lets go of itself.

Rules of this file: what it says is history, and tables are changed by adding a migration. A row says what is wanted;
what has become of it is seen, never stored. ``uuid`` is the number of what lies on the device, "" when nobody said it.
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
