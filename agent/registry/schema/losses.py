"""Statements of the migrations that added losses (the rights that each act took), and the reasons of these acts.

Rules of this file: a released migration never changes; tables are changed by a new migration. A row is written in the
commit of the act, so that a process killed right afterwards still knows whose access to revoke. ``areas`` and ``rooms``
are names and ``uids`` numbers, each a JSON array: the state at the time of the loss, unaffected by later changes.
"""

from agent.registry.schema.column_types import PERSON, WORD

LOSSES = (
    f"""CREATE TABLE losses (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        areas TEXT NOT NULL,
        rooms TEXT NOT NULL,
        uids TEXT NOT NULL,
        act TEXT NOT NULL,
        entry INTEGER NOT NULL,
        by {WORD},
        at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX losses_of_person ON losses (person)",
    "CREATE INDEX losses_by_time ON losses (at)",
)

LOSS_REASONS = (f"ALTER TABLE losses ADD COLUMN reason {WORD}",)
