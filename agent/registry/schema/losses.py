"""The statements of the migrations that brought losses (who lost what by which act), and the reasons of these acts.

Rules of this file: what it says is history, and tables are changed by adding a migration. A row is written in the
commit of the act that took something, so that whoever is killed right after it still knows whom to cut. ``areas`` and
``rooms`` are names and ``uids`` numbers, each a JSON array: they are what was lost then, whatever becomes of them.
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
