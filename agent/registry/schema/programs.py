"""Statements of the migration that added the file identity of the program of a service.

Rules of this file: a released migration never changes; tables are changed by a new migration. ``inode``, ``changed``
(the change time, nanoseconds since 1970) and ``size`` are those of the file at registration; a service older than this
migration has none, and is not recognised until it is renewed. ``sha256`` is empty where the site requires no hash. A
service with ``lets_in`` uses no area itself: the people it lets in need no login uid.
"""

from agent.registry.schema.column_types import TRUTH

PROGRAMS = (
    "ALTER TABLE services ADD COLUMN inode INTEGER",
    "ALTER TABLE services ADD COLUMN changed INTEGER",
    "ALTER TABLE services ADD COLUMN size INTEGER",
    "ALTER TABLE services ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''",
    f"ALTER TABLE services ADD COLUMN lets_in {TRUTH.format('lets_in')} DEFAULT 0",
)
