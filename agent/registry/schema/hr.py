"""The statements of the migration that brought HR's names for people.

Rules of this file: what it says is history, and tables are changed by adding a migration. One row is one name that a
token of HR's may use: an employee number (``iss`` empty), an e-mail address in small letters (likewise), or the number
of one issuer. It belongs to one person, and is taken away when it is wrong: what was done by it is in the log.
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
