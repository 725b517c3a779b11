"""The statements of each migration. What a released one says is history: change tables by adding a migration.

Rules of this file: every table that a decision reads has the index its question needs. People, services and badges are
known by the site's own strings; areas and rooms share one list of names, and get a key of our own, so that a name used
again later never inherits the grants of the area that was removed.
"""

WORD = "TEXT NOT NULL DEFAULT ''"
TRUTH = "INTEGER NOT NULL CHECK ({0} IN (0, 1))"
LEVEL = "INTEGER NOT NULL CHECK (level BETWEEN 0 AND 4)"
PERSON = "TEXT NOT NULL REFERENCES people (id)"
RESOURCE = "INTEGER NOT NULL REFERENCES resources (key)"

FIRST = (
    """CREATE TABLE epoch (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        changed_at TEXT
    ) STRICT""",
    "INSERT INTO epoch VALUES (1, 0, NULL)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    f"CREATE TABLE holidays (day TEXT PRIMARY KEY, name {WORD}) STRICT, WITHOUT ROWID",
    # --- people -----------------------------------------------------------------------------------------------------
    f"""CREATE TABLE people (
        id TEXT PRIMARY KEY,
        name {WORD},
        department {WORD},
        post {WORD},
        employment TEXT NOT NULL,
        active {TRUTH.format("active")},
        added_at TEXT NOT NULL,
        post_changed_at TEXT
    ) STRICT, WITHOUT ROWID""",
    f"CREATE TABLE projects (person {PERSON}, project TEXT, PRIMARY KEY (person, project)) STRICT, WITHOUT ROWID",
    f"""CREATE TABLE clearances (
        person {PERSON},
        domain TEXT,
        level {LEVEL},
        label {WORD},
        approved_by {WORD},
        set_at TEXT NOT NULL,
        PRIMARY KEY (person, domain)
    ) STRICT, WITHOUT ROWID""",
    f"CREATE TABLE accounts (uid INTEGER PRIMARY KEY, person {PERSON}, name {WORD}) STRICT",
    "CREATE INDEX accounts_of_person ON accounts (person)",
    f"CREATE TABLE badges (number TEXT PRIMARY KEY, person {PERSON}) STRICT, WITHOUT ROWID",
    "CREATE INDEX badges_of_person ON badges (person)",
    # --- areas and rooms --------------------------------------------------------------------------------------------
    f"""CREATE TABLE resources (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('area', 'room')),
        level {LEVEL},
        domain TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('observe', 'enforce')),
        custodian TEXT REFERENCES people (id),
        hours {WORD},
        secret_until TEXT,
        added_at TEXT NOT NULL,
        removed_at TEXT
    ) STRICT""",
    "CREATE UNIQUE INDEX resources_by_name ON resources (name) WHERE removed_at IS NULL",
    f"""CREATE TABLE scope (
        resource {RESOURCE},
        kind TEXT CHECK (kind IN ('person', 'department', 'project')),
        member TEXT,
        PRIMARY KEY (resource, kind, member)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE areas (
        resource INTEGER PRIMARY KEY REFERENCES resources (key),
        path BLOB NOT NULL UNIQUE,
        reads TEXT NOT NULL CHECK (reads IN ('quiet', 'each')),
        enforce_confirm_by TEXT,
        volume TEXT NOT NULL DEFAULT '{}'
    ) STRICT""",
    f"""CREATE TABLE rooms (
        resource INTEGER PRIMARY KEY REFERENCES resources (key),
        two_person {TRUTH.format("two_person")},
        needs_purpose {TRUTH.format("needs_purpose")},
        needs_declaration {TRUTH.format("needs_declaration")}
    ) STRICT""",
    f"""CREATE TABLE services (
        id TEXT PRIMARY KEY,
        uid INTEGER NOT NULL,
        executable BLOB NOT NULL,
        active {TRUTH.format("active")},
        UNIQUE (uid, executable)
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE service_areas (
        service TEXT NOT NULL REFERENCES services (id),
        resource {RESOURCE},
        PRIMARY KEY (service, resource)
    ) STRICT, WITHOUT ROWID""",
    # --- what officers decide about a person ------------------------------------------------------------------------
    f"""CREATE TABLE grants (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        resource {RESOURCE},
        reason TEXT NOT NULL,
        approver TEXT NOT NULL,
        since TEXT NOT NULL,
        until TEXT,
        temporary {TRUTH.format("temporary")},
        added_at TEXT NOT NULL,
        ended_at TEXT,
        ended_by {WORD},
        end_reason {WORD},
        CHECK (temporary = 0 OR until IS NOT NULL)
    ) STRICT""",
    "CREATE INDEX grants_of_person ON grants (person, resource)",
    "CREATE INDEX grants_of_resource ON grants (resource)",
    f"""CREATE TABLE holds (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        since TEXT NOT NULL,
        reason TEXT NOT NULL,
        placed_by {WORD},
        lifted_at TEXT,
        lifted_by {WORD},
        lift_reason {WORD}
    ) STRICT""",
    "CREATE INDEX holds_in_force ON holds (person) WHERE lifted_at IS NULL",
    f"""CREATE TABLE records (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        kind TEXT NOT NULL,
        dated TEXT NOT NULL,
        passed {TRUTH.format("passed")},
        valid_until TEXT,
        topic {WORD},
        note {WORD},
        added_at TEXT NOT NULL,
        voided_at TEXT,
        void_reason {WORD}
    ) STRICT""",
    "CREATE INDEX records_of_person ON records (person, kind)",
    f"""CREATE TABLE departures (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        stage TEXT NOT NULL CHECK (stage IN ('notice', 'approved', 'cooling-off', 'closed')),
        approved_at TEXT,
        cooling_off_until TEXT,
        approver {WORD},
        opened_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX departures_of_person ON departures (person)",
)

_TITLED = "title_en TEXT NOT NULL, title_zh TEXT NOT NULL"
_CASE = "INTEGER NOT NULL REFERENCES cases (number)"
_SAID = "{0}_by TEXT, {0}_at TEXT, {0}_reason TEXT"

CASES = (
    # A decision does not see a row that was set aside: a departure that was rescinded, a transfer that is over.
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
    # One case at a time: a person with two would owe some things twice, and could be approved twice.
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
    # Grants that the approval ended, with the end they had: ending one overwrites it.
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
    # What an administrator's departure waits for. ``roles`` are words with blanks between them.
    f"ALTER TABLE cases ADD COLUMN roles {WORD}",
    f"ALTER TABLE cases ADD COLUMN ended_by {WORD}",
    "ALTER TABLE cases ADD COLUMN confirmed_by TEXT",
    "ALTER TABLE cases ADD COLUMN confirmed_at TEXT",
    "ALTER TABLE cases ADD COLUMN confirmed_reason TEXT",
    # A hold that takes two officers to lift, and the first of them.
    "ALTER TABLE holds ADD COLUMN two_officers INTEGER NOT NULL DEFAULT 0 CHECK (two_officers IN (0, 1))",
    f"ALTER TABLE holds ADD COLUMN lift_asked_by {WORD}",
    "ALTER TABLE holds ADD COLUMN lift_asked_at TEXT",
)

BESIDE = (
    # A transfer that is approved and a departure that will overtake it run side by side; never two of one sort.
    "DROP INDEX cases_running",
    "CREATE UNIQUE INDEX cases_running ON cases (person, (kind = 'transfer')) WHERE over = 0",
    # The class of the person as the personnel system printed it.
    f"ALTER TABLE cases ADD COLUMN printed_class {WORD}",
    # What a room's panel remembers of a release stands in its state: nothing else ever wrote this.
    "DROP TABLE releases",
)
