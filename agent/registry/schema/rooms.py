"""Statements of the migrations that added rooms: settings, doors, badges, visitors, and events at doors.

Rules of this file: a released migration never changes; tables are changed by a new migration. Queries made while a
person waits at a door have an index. Data of events at doors (presence, alarms, pending commands) is in the same file
as the decisions of officers, so that an entry, its alarm and the state of its room are one transaction.
"""

from agent.registry.schema.column_types import PERSON, RESOURCE, TRUTH, WORD

ROOMS = (
    # --- rules of a room, and areas kept in it ----------------------------------------------------------------------
    f"ALTER TABLE rooms ADD COLUMN needs_pin {TRUTH.format('needs_pin')} DEFAULT 0",
    """ALTER TABLE rooms ADD COLUMN anti_passback TEXT NOT NULL DEFAULT 'none'
        CHECK (anti_passback IN ('none', 'soft', 'hard'))""",
    "ALTER TABLE rooms ADD COLUMN occupancy_limit INTEGER NOT NULL DEFAULT 0 CHECK (occupancy_limit >= 0)",
    f"ALTER TABLE rooms ADD COLUMN first_in {TRUTH.format('first_in')} DEFAULT 0",
    "ALTER TABLE rooms ADD COLUMN held_open_seconds INTEGER NOT NULL DEFAULT 30 CHECK (held_open_seconds > 0)",
    "ALTER TABLE rooms ADD COLUMN together_seconds INTEGER NOT NULL DEFAULT 0 CHECK (together_seconds >= 0)",
    f"ALTER TABLE rooms ADD COLUMN accompany {TRUTH.format('accompany')} DEFAULT 1",
    f"ALTER TABLE rooms ADD COLUMN lone_alarm {TRUTH.format('lone_alarm')} DEFAULT 0",
    f"""CREATE TABLE kept_areas (
        area INTEGER PRIMARY KEY REFERENCES resources (key),
        room {RESOURCE}
    ) STRICT""",
    "CREATE INDEX kept_in ON kept_areas (room)",
    # --- doors ------------------------------------------------------------------------------------------------------
    f"""CREATE TABLE doors (
        name TEXT PRIMARY KEY,
        room {RESOURCE},
        protocol TEXT NOT NULL CHECK (protocol IN ('osdp', 'uhppote')),
        strike TEXT NOT NULL,
        output INTEGER NOT NULL CHECK (output BETWEEN 0 AND 255),
        strike_seconds INTEGER NOT NULL CHECK (strike_seconds BETWEEN 1 AND 25),
        contact {TRUTH.format("contact")},
        added_at TEXT NOT NULL,
        UNIQUE (strike, output)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX doors_of_room ON doors (room)",
    # A board has one address for both sides of a door; an OSDP reader is on one side of one door.
    f"""CREATE TABLE readers (
        address TEXT,
        side TEXT CHECK (side IN ('in', 'out')),
        door TEXT NOT NULL REFERENCES doors (name),
        key {WORD},
        keyed_at TEXT,
        PRIMARY KEY (address, side)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX readers_of_door ON readers (door)",
    "CREATE TABLE boards (board TEXT PRIMARY KEY, heard INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE board_cards (
        board TEXT,
        card TEXT,
        wanted TEXT NOT NULL CHECK (wanted IN ('put', 'gone')),
        state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed')),
        why_en TEXT NOT NULL DEFAULT '',
        why_zh TEXT NOT NULL DEFAULT '',
        at TEXT NOT NULL,
        PRIMARY KEY (board, card)
    ) STRICT, WITHOUT ROWID""",
    # --- people at doors --------------------------------------------------------------------------------------------
    """ALTER TABLE badges ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
        CHECK (state IN ('active', 'lost', 'returned'))""",
    "ALTER TABLE badges ADD COLUMN until TEXT",
    "ALTER TABLE badges ADD COLUMN facility INTEGER",
    "ALTER TABLE badges ADD COLUMN bits INTEGER",
    "ALTER TABLE badges ADD COLUMN given_at TEXT",
    """CREATE TABLE pins (
        person TEXT PRIMARY KEY REFERENCES people (id),
        salt BLOB NOT NULL,
        pin BLOB NOT NULL,
        duress BLOB,
        set_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    f"""CREATE TABLE visits (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        host {PERSON},
        escort {PERSON},
        room {RESOURCE},
        purpose TEXT NOT NULL,
        since TEXT NOT NULL,
        until TEXT NOT NULL,
        badge {WORD},
        registered_by {WORD},
        ended_at TEXT,
        ended_by {WORD},
        left_at TEXT
    ) STRICT""",
    "CREATE INDEX visits_of_person ON visits (person, room)",
    f"""CREATE TABLE declarations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        person {PERSON},
        room {RESOURCE},
        purpose {WORD},
        devices {WORD},
        declares {TRUTH.format("declares")},
        since TEXT NOT NULL,
        until TEXT NOT NULL,
        taken_by {WORD},
        ended_at TEXT
    ) STRICT""",
    "CREATE INDEX declarations_of_person ON declarations (person, room)",
    # --- events -----------------------------------------------------------------------------------------------------
    f"""CREATE TABLE presence (
        room {RESOURCE},
        person {PERSON},
        since TEXT NOT NULL,
        door {WORD},
        PRIMARY KEY (room, person)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX presence_of_person ON presence (person)",
    "CREATE TABLE room_states (room INTEGER PRIMARY KEY REFERENCES resources (key), state TEXT NOT NULL) STRICT",
    f"""CREATE TABLE alarms (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        room {WORD},
        door {WORD},
        person {WORD},
        text_en TEXT NOT NULL,
        text_zh TEXT NOT NULL,
        at TEXT NOT NULL,
        seq INTEGER,
        acked_at TEXT,
        acked_by {WORD},
        note {WORD}
    ) STRICT""",
    "CREATE INDEX alarms_by_end ON alarms (acked_at)",
    f"""CREATE TABLE lockdowns (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        room INTEGER REFERENCES resources (key),
        since TEXT NOT NULL,
        placed_by {WORD},
        reason TEXT NOT NULL,
        lifted_at TEXT,
        lifted_by {WORD},
        lift_reason {WORD}
    ) STRICT""",
    "CREATE INDEX lockdowns_by_end ON lockdowns (lifted_at)",
    "CREATE TABLE releases (id TEXT PRIMARY KEY, fields TEXT NOT NULL) STRICT, WITHOUT ROWID",
)

# A migration of its own: the time of day at which the presence list is cleared, on the host's clock.
RESET = (
    """ALTER TABLE rooms ADD COLUMN reset_at TEXT NOT NULL DEFAULT ''
        CHECK (reset_at = '' OR reset_at GLOB '[0-2][0-9]:[0-5][0-9]')""",
)

# A migration of its own: the location of a room.
LOCATION = ("ALTER TABLE rooms ADD COLUMN location TEXT NOT NULL DEFAULT ''",)
