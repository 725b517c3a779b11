"""Statements of the migration that added the names of people in the personnel system.

Rules of this file: a released migration never changes; tables are changed by a new migration. One row is one name that
a token of the personnel system may use: an employee number (``iss`` empty), an e-mail address in lower case (likewise),
or the number of one issuer. It belongs to one person, and is removed when it is wrong: the log holds its past effects.
"""

from agent.registry.schema.column_types import PERSON, WORD

HR_SUBJECTS = (
    f"""CREATE TABLE hr_subjects (
        format TEXT NOT NULL CHECK (format IN ('number', 'email', 'iss_sub')),
        iss {WORD},
        value TEXT NOT NULL,
        person {PERSON},
        since TEXT NOT NULL,
        added_by {WORD},
        PRIMARY KEY (format, iss, value)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX hr_subjects_of_person ON hr_subjects (person)",
)
