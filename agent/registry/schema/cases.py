"""Statements of the migrations that added offboarding cases, second officers, parallel cases and approval writers.

Rules of this file: a released migration never changes; tables are changed by a new migration.
"""

from agent.registry.schema.column_types import PERSON, TRUTH, WORD

_TITLED = "title_en TEXT NOT NULL, title_zh TEXT NOT NULL"
_CASE = "INTEGER NOT NULL REFERENCES cases (number)"
_SAID = "{0}_by TEXT, {0}_at TEXT, {0}_reason TEXT"

CASES = (
    # Decisions ignore a row that was set aside: a departure that was rescinded, a transfer that is over.
    "ALTER TABLE departures ADD COLUMN set_aside_at TEXT",
    f"""CREATE TABLE cases (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        departure INTEGER NOT NULL REFERENCES departures (number),
        kind TEXT NOT NULL,
        last_day TEXT NOT NULL,
        noticed_at TEXT NOT NULL,
        opened_by TEXT NOT NULL,
        late_days INTEGER NOT NULL,
        reason {WORD},
        reference {WORD},
        department {WORD},
        post {WORD},
        approved_at TEXT,
        sent_back {TRUTH.format("sent_back")},
        needs_education {TRUTH.format("needs_education")},
        needs_exam {TRUTH.format("needs_exam")},
        needs_period {TRUTH.format("needs_period")},
        {_SAID.format("education")},
        period_until TEXT,
        {_SAID.format("period")},
        {_SAID.format("papers")},
        {_SAID.format("closed")},
        rescinded {TRUTH.format("rescinded")},
        over {TRUTH.format("over")}
    ) STRICT""",
    # One case at a time: a person with two would have some duties twice, and could be approved twice.
    "CREATE UNIQUE INDEX cases_running ON cases (person) WHERE over = 0",
    "CREATE INDEX cases_of_person ON cases (person)",
    f"""CREATE TABLE case_approvals (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        role TEXT NOT NULL,
        {_TITLED},
        approved_by TEXT,
        approved_at TEXT,
        opinion {WORD},
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_items (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        {_TITLED},
        department_en TEXT NOT NULL,
        department_zh TEXT NOT NULL,
        done_by {WORD},
        done_at TEXT,
        missing {WORD},
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_signatures (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        {_TITLED},
        seen_by {WORD},
        signed_at TEXT,
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_exams (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        examined_by TEXT NOT NULL,
        at TEXT NOT NULL,
        passed {TRUTH.format("passed")},
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_decisions (
        departure_case {_CASE},
        what TEXT NOT NULL CHECK (what IN ('return', 'rescind')),
        place INTEGER NOT NULL,
        said_by TEXT NOT NULL,
        at TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (departure_case, what, place)
    ) STRICT, WITHOUT ROWID""",
    # Grants that the approval ended, with their original end: ending a grant overwrites it.
    f"""CREATE TABLE case_grants (
        departure_case {_CASE},
        ended_grant INTEGER NOT NULL REFERENCES grants (number),
        since TEXT NOT NULL,
        until TEXT,
        PRIMARY KEY (departure_case, ended_grant)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_restorations (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        grant_id TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        asked_at TEXT NOT NULL,
        given_by {WORD},
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
)

SECOND = (
    # The conditions of an administrator's departure. ``roles`` are words separated by blanks.
    f"ALTER TABLE cases ADD COLUMN roles {WORD}",
    f"ALTER TABLE cases ADD COLUMN ended_by {WORD}",
    "ALTER TABLE cases ADD COLUMN confirmed_by TEXT",
    "ALTER TABLE cases ADD COLUMN confirmed_at TEXT",
    "ALTER TABLE cases ADD COLUMN confirmed_reason TEXT",
    # A hold that takes two officers to lift, and the first of the two.
    "ALTER TABLE holds ADD COLUMN two_officers INTEGER NOT NULL DEFAULT 0 CHECK (two_officers IN (0, 1))",
    f"ALTER TABLE holds ADD COLUMN lift_asked_by {WORD}",
    "ALTER TABLE holds ADD COLUMN lift_asked_at TEXT",
)

WRITTEN = (
    # The officer who recorded an approval, beside its signer.
    f"ALTER TABLE case_approvals ADD COLUMN written_by {WORD}",
)

BESIDE = (
    # An approved transfer and a departure that will overtake it may run in parallel; never two of one sort.
    "DROP INDEX cases_running",
    "CREATE UNIQUE INDEX cases_running ON cases (person, (kind = 'transfer')) WHERE over = 0",
    # The class of the person as the personnel system printed it.
    f"ALTER TABLE cases ADD COLUMN printed_class {WORD}",
    # The state of a room's panel holds its releases: nothing else ever wrote this table.
    "DROP TABLE releases",
)
