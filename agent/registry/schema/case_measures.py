"""Statements of the migrations that added leave dates, batches, measures of a cooling-off period, and reaches.

The last one added the officer who brought a leave date forward.

Rules of this file: a released migration never changes; tables are changed by a new migration. An ``effective_at``
beside an approval is the instant from which a departure denies; an older row has none, and denies from its approval.
"""

from agent.registry.schema.column_types import TRUTH, WORD

_CASE = "INTEGER NOT NULL REFERENCES cases (number)"

LEAVE_DATES = (
    "ALTER TABLE departures ADD COLUMN effective_at TEXT",
    "ALTER TABLE cases ADD COLUMN effective_at TEXT",
    "ALTER TABLE cases ADD COLUMN carried_out_at TEXT",
    f"ALTER TABLE cases ADD COLUMN batch {WORD}",
    f"ALTER TABLE cases ADD COLUMN withdrawn {TRUTH.format('withdrawn')} DEFAULT 0",
    "ALTER TABLE cases ADD COLUMN resumption_by TEXT",
    "ALTER TABLE cases ADD COLUMN resumption_at TEXT",
    "ALTER TABLE cases ADD COLUMN resumption_reason TEXT",
    # Beside a temporary case (a transfer, a rehire, long leave) the departure that overtakes it may run.
    "DROP INDEX cases_running",
    """CREATE UNIQUE INDEX cases_running ON cases (person, (kind IN ('transfer', 'rehired', 'long-leave')))
        WHERE over = 0""",
    "CREATE INDEX cases_of_batch ON cases (batch) WHERE batch <> ''",
    "CREATE INDEX cases_scheduled ON cases (effective_at) WHERE over = 0 AND carried_out_at IS NULL",
    f"""CREATE TABLE case_measures (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        title_en TEXT NOT NULL,
        title_zh TEXT NOT NULL,
        every_days INTEGER NOT NULL,
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE case_measures_taken (
        departure_case {_CASE},
        place INTEGER NOT NULL,
        measure TEXT NOT NULL,
        taken_by TEXT NOT NULL,
        at TEXT NOT NULL,
        day TEXT NOT NULL,
        paper {WORD},
        party {WORD},
        item {WORD},
        note {WORD},
        keeper TEXT,
        ended_by TEXT,
        ended_at TEXT,
        ended_day TEXT,
        ended_paper {WORD},
        PRIMARY KEY (departure_case, place)
    ) STRICT, WITHOUT ROWID""",
)

# A case ends what its kind reaches (rules.offboarding.vocabulary.CaseKind.reach); two of one reach never run at a time.
REACH = (
    "DROP INDEX cases_running",
    """CREATE UNIQUE INDEX cases_running ON cases
        (person, (CASE WHEN kind IN ('transfer', 'rehired', 'long-leave') THEN 0 WHEN kind = 'unfit' THEN 1 ELSE 2 END))
        WHERE over = 0""",
)

ADVANCED = (
    "ALTER TABLE cases ADD COLUMN advanced_by TEXT",
    "ALTER TABLE cases ADD COLUMN advanced_at TEXT",
    "ALTER TABLE cases ADD COLUMN advanced_reason TEXT",
)
