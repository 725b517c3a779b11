"""Statements of the first migration: the tables that decisions read.

Rules of this file: a released migration never changes; tables are changed by a new migration. Every table that a
decision reads has the index that its query needs. People, services and badges are identified by strings of the site;
areas and rooms share one list of names, and have keys, so that a reused name never inherits the grants of a removed
area.
"""

from agent.registry.schema.column_types import LEVEL, PERSON, RESOURCE, TRUTH, WORD

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
