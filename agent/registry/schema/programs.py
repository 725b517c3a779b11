"""The statements of the migration that told the program of a service apart from any other file at its path.

Rules of this file: what it says is history, and tables are changed by adding a migration. ``inode``, ``changed`` (the
change time, nanoseconds since 1970) and ``size`` are those of the file when it was registered; a service that is older
than this migration has none, and is nobody until it is renewed. ``sha256`` is empty where the site asks for no hash.
What ``lets_in`` touches no area itself: whoever it lets in needs no login uid.
"""

from agent.registry.schema.column_types import TRUTH

PROGRAMS = (
    "ALTER TABLE services ADD COLUMN inode INTEGER",
    "ALTER TABLE services ADD COLUMN changed INTEGER",
    "ALTER TABLE services ADD COLUMN size INTEGER",
    "ALTER TABLE services ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''",
    f"ALTER TABLE services ADD COLUMN lets_in {TRUTH.format('lets_in')} DEFAULT 0",
)
