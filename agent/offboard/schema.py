"""The tables of ``offboard.db``, as ordered migrations that are never edited once released.

Rules of this file: tables are STRICT. Three parts share the file, each with tables of its own: the runs of revocations
(:mod:`agent.offboard.journal`), the notices of HR (:mod:`agent.offboard.intake.store`), and the deny entries on the
disk (:mod:`agent.offboard.deny_entries`).
"""

from agent.runtime.schema import Migration, Schema
from rules.text import Message

# A file from before versions existed has these tables, or those of one part: it keeps its contents.
_FIRST = (
    """CREATE TABLE IF NOT EXISTS runs (
        number INTEGER PRIMARY KEY,
        case_id TEXT NOT NULL UNIQUE,
        person TEXT NOT NULL,
        cause TEXT NOT NULL,
        leaver TEXT NOT NULL,
        officers TEXT NOT NULL,
        begun_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS steps (
        run INTEGER NOT NULL REFERENCES runs,
        position INTEGER NOT NULL,
        step TEXT NOT NULL,
        state TEXT NOT NULL,
        detail TEXT NOT NULL DEFAULT '["", ""]',
        facts TEXT NOT NULL DEFAULT '{}',
        tries INTEGER NOT NULL DEFAULT 0,
        began_at TEXT,
        ended_at TEXT,
        logged TEXT,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS callers (
        run INTEGER NOT NULL REFERENCES runs,
        pid INTEGER NOT NULL,
        started INTEGER NOT NULL,
        PRIMARY KEY (run, pid, started)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS steps_open ON steps (run) WHERE state IN ('planned', 'pending')",
    """CREATE TABLE IF NOT EXISTS hr_tokens (
        seq INTEGER PRIMARY KEY,
        iss TEXT NOT NULL,
        jti TEXT NOT NULL,
        subject TEXT NOT NULL,
        strength INTEGER NOT NULL,
        toe INTEGER NOT NULL,
        iat INTEGER NOT NULL,
        received_at TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('received', 'handed', 'unknown', 'superseded')),
        filed INTEGER NOT NULL DEFAULT 0 CHECK (filed IN (0, 1)),
        claims BLOB NOT NULL,
        notice TEXT NOT NULL,
        token BLOB NOT NULL,
        UNIQUE (iss, jti)
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS hr_tokens_open ON hr_tokens (toe, iat, seq) WHERE state = 'received'",
    "CREATE INDEX IF NOT EXISTS hr_tokens_mark ON hr_tokens (subject, toe, iat)",
    "CREATE TABLE IF NOT EXISTS hr_floors (subject TEXT PRIMARY KEY, toe INTEGER NOT NULL) STRICT",
)

# Entries set by earlier versions are recorded without their areas, which were not written down.
_DENY_ENTRIES = (
    """CREATE TABLE deny_entries (
        uid INTEGER NOT NULL,
        case_id TEXT NOT NULL,
        person TEXT NOT NULL,
        areas TEXT,
        set_at TEXT NOT NULL,
        removed_at TEXT,
        PRIMARY KEY (uid, case_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX deny_entries_standing ON deny_entries (uid, case_id) WHERE removed_at IS NULL",
    """INSERT INTO deny_entries (uid, case_id, person, set_at)
        SELECT DISTINCT json_extract(account.value, '$[0]'), case_id, person, coalesce(ended_at, begun_at)
        FROM runs JOIN steps ON run = number, json_each(runs.leaver, '$.accounts') AS account
        WHERE step = 'acl' AND tries > 0 AND state <> 'skipped'""",
)

# Origin of the marks of a notice: the sweeps between which its file appeared, and when it was on the disk.
_MARKS = (
    "ALTER TABLE hr_tokens ADD COLUMN not_before TEXT",
    "ALTER TABLE hr_tokens ADD COLUMN looked_at TEXT",
    "ALTER TABLE hr_tokens ADD COLUMN durable_at TEXT",
)

# The scope a notice ends (agent.offboard.intake.supersession), its release by an officer, and its file names.
_HR = (
    "ALTER TABLE hr_tokens ADD COLUMN ends INTEGER NOT NULL DEFAULT 31",
    """UPDATE hr_tokens SET ends = CASE
        WHEN strength = 1 THEN 1
        WHEN strength = 2 THEN 3
        WHEN json_extract(notice, '$.details.kind') = 'transfer' THEN 5
        WHEN json_extract(notice, '$.details.kind') = 'unfit' THEN 13
        ELSE 31 END""",
    "ALTER TABLE hr_tokens ADD COLUMN released INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE hr_names (
        token INTEGER NOT NULL REFERENCES hr_tokens (seq),
        file TEXT NOT NULL,
        PRIMARY KEY (token, file)
    ) STRICT, WITHOUT ROWID""",
)

# Which case a notice was carried out in, so that the receipt of that case and no other answers it. ``NULL``: it was not
# handed over yet, or before this was written down, and then the number of the personnel system says it.
_CASE = (
    "ALTER TABLE hr_tokens ADD COLUMN case_id TEXT",
    "CREATE INDEX hr_tokens_of_case ON hr_tokens (subject, case_id)",
)

# When a run was settled: its receipt was kept, or it was found to need none. A run of an earlier version counts as
# settled where the search for missing receipts does not use this column.
_SETTLED = (
    "ALTER TABLE runs ADD COLUMN settled_at TEXT",
    """UPDATE runs SET settled_at = begun_at WHERE substr(case_id, 1, 1) NOT IN ('G', 'L')
        AND number NOT IN (SELECT run FROM steps WHERE state IN ('planned', 'pending'))""",
    "CREATE INDEX runs_unsettled ON runs (number) WHERE settled_at IS NULL",
)

SCHEMA = Schema(
    "offboard",
    Message("offboard.database"),
    (
        Migration("m001_first", _FIRST),
        Migration("m002_deny_entries", _DENY_ENTRIES),
        Migration("m003_marks", _MARKS),
        Migration("m004_hr", _HR),
        Migration("m005_case", _CASE),
        Migration("m006_settled", _SETTLED),
    ),
)
