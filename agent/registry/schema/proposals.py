"""Statements of the migration that added proposals (acts that wait for a second officer) and papers.

Rules of this file: a released migration never changes; tables are changed by a new migration. ``given`` are the
arguments of the act as a JSON object, ``would`` the access it would give, as computed when the act was proposed. A
proposal that has ended keeps its row, without the secrets among its arguments.
"""

from agent.registry.schema.column_types import PERSON, WORD

PROPOSALS = (
    f"""CREATE TABLE proposals (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        act TEXT NOT NULL,
        given TEXT NOT NULL,
        would TEXT NOT NULL,
        asked TEXT NOT NULL,
        uid INTEGER NOT NULL,
        login_uid INTEGER,
        role TEXT NOT NULL,
        proposed_by {WORD},
        requested_by {WORD},
        supported_by {WORD},
        supported_at TEXT,
        at TEXT NOT NULL,
        lapses TEXT NOT NULL,
        outcome TEXT CHECK (outcome IN ('confirmed', 'refused', 'withdrawn', 'lapsed')),
        ended_at TEXT,
        ended_by {WORD},
        end_reason {WORD}
    ) STRICT""",
    "CREATE INDEX proposals_open ON proposals (lapses) WHERE outcome IS NULL",
    # Whether the host had an account with that number at assignment: an account deleted since then belongs to nobody.
    "ALTER TABLE accounts ADD COLUMN on_host INTEGER NOT NULL DEFAULT 0 CHECK (on_host IN (0, 1))",
    # The last owner of an account without owner: a hold on the person applies under another name as well.
    f"""CREATE TABLE former_accounts (
        uid INTEGER PRIMARY KEY,
        person {PERSON},
        removed_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE break_glass (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        salt BLOB NOT NULL,
        code BLOB,
        sealed_at TEXT NOT NULL,
        sealed_by TEXT NOT NULL,
        broken_until TEXT,
        broken_by TEXT NOT NULL
    ) STRICT""",
    # The paper that was signed by hand, as recorded by the officer of the act.
    *(
        f"ALTER TABLE {table} ADD COLUMN {column}"
        for table in ("grants", "clearances")
        for column in (f"paper_by {WORD}", f"paper {WORD}", "paper_on TEXT")
    ),
    f"ALTER TABLE people ADD COLUMN heads {WORD}",  # the department they lead, and whose requests they support
    f"ALTER TABLE case_approvals ADD COLUMN paper {WORD}",
    "ALTER TABLE case_approvals ADD COLUMN paper_on TEXT",
)
