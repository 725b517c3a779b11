"""``offboard.db``: a file from before there were versions keeps all it has, and a newer one is left alone."""

import multiprocessing
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import FatalError, RefusedError
from agent.offboard.callers import Caller
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.database import open_database
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.store import Arrival, Store
from agent.offboard.journal import JournaledStep, RevocationJournal, WantedRun
from agent.offboard.plan import Cause
from agent.offboard.progress import progress
from agent.offboard.schema import SCHEMA
from agent.offboard.steps.step import StepResult, StepState
from rules.text import Text
from tests.sentences import zh

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)

# What each part ran when it opened the file, before there were versions.
JOURNAL = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    cause TEXT NOT NULL,
    leaver TEXT NOT NULL,
    officers TEXT NOT NULL,
    begun_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS steps (
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
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callers (
    run INTEGER NOT NULL REFERENCES runs,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    PRIMARY KEY (run, pid, started)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS steps_open ON steps (run) WHERE state IN ('planned', 'pending');
"""
TOKENS = """
CREATE TABLE IF NOT EXISTS hr_tokens (
    seq         INTEGER PRIMARY KEY,
    iss         TEXT NOT NULL,
    jti         TEXT NOT NULL,
    subject     TEXT NOT NULL,
    strength    INTEGER NOT NULL,
    toe         INTEGER NOT NULL,
    iat         INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('received', 'handed', 'unknown', 'superseded')),
    filed       INTEGER NOT NULL DEFAULT 0 CHECK (filed IN (0, 1)),
    claims      BLOB NOT NULL,
    notice      TEXT NOT NULL,
    token       BLOB NOT NULL,
    UNIQUE (iss, jti)
) STRICT;
CREATE INDEX IF NOT EXISTS hr_tokens_open ON hr_tokens (toe, iat, seq) WHERE state = 'received';
CREATE INDEX IF NOT EXISTS hr_tokens_mark ON hr_tokens (subject, toe, iat);
CREATE TABLE IF NOT EXISTS hr_floors (subject TEXT PRIMARY KEY, toe INTEGER NOT NULL) STRICT;
"""
TABLES = {JOURNAL: ("runs", "steps", "callers"), TOKENS: ("hr_tokens", "hr_floors")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "offboard.db"


def old(file: Path, *statements: str) -> None:
    """A file as it was made before there were versions."""
    file.touch(0o600)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            connection.executescript(statement)


def ask(file: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(question).fetchall()


def layout(file: Path) -> dict[str, str]:
    """What the file says of its tables and indexes, whatever the blanks between the words."""
    rows = ask(file, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {str(name): " ".join(str(sql).split()) for name, sql in rows}


def notice(number: str) -> HrNotice:
    return HrNotice(
        "https://hr", number, "kid", NOW, NOW, f"HR-{number}", "E1", HrEvent.DEPARTURE_APPROVED, {}, (), {}, late=False
    )


def in_use(file: Path) -> Path:
    """A file of this program in which both parts have written into every table they have."""
    with closing(RevocationJournal(file)) as journal:
        leaver = RevocationSubject("E1", (Account(62400, ("zhang",)),))
        wanted = WantedRun("C000001", leaver, Cause.DEPARTURE, ("E8",), (Caller(1, 2),))
        journal.begin_together([(wanted, ["deny", "doors"])], NOW)
        run = journal.run("C000001")
        result = StepResult(StepState.CONFIRMED, Text("denied", "已拒绝"), {"epoch": 7})
        journal.record(run, JournaledStep("deny", result, began_at=NOW, ended_at=NOW))
    with Store(file) as store:
        store.admit([Arrival(notice(number), b"token") for number in "12"], lambda _subject: True, NOW)
        store.settle([1], [notice("1").key])
        store.restored("E2", NOW)
    return file


@pytest.mark.parametrize("parts", [(JOURNAL,), (TOKENS,), (JOURNAL, TOKENS)], ids=["journal", "tokens", "both"])
def test_a_file_from_before_there_were_versions_keeps_every_row(tmp_path: Path, file: Path, parts: list[str]) -> None:
    present = in_use(tmp_path / "present.db")
    old(file, *parts)
    had: dict[str, str] = {}
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ATTACH ? AS present", (str(present),))
        for table in (name for part in parts for name in TABLES[part]):
            had[table] = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO {table} SELECT {had[table]} FROM present.{table}")
        connection.commit()
    before = {table: ask(file, f"SELECT {names} FROM {table}") for table, names in had.items()}
    assert all(before.values())

    with closing(RevocationJournal(file)) as journal, Store(file) as store:
        if JOURNAL in parts:
            [run] = journal.unfinished()
            assert (run.case, run.leaver.accounts, run.callers) == (
                "C000001",
                (Account(62400, ("zhang",)),),
                (Caller(1, 2),),
            )
            assert [done.result.state for done in journal.steps(run)] == [StepState.CONFIRMED, StepState.PLANNED]
        if TOKENS in parts:
            assert [waiting.notice for waiting in store.open()] == [notice("2")]
            assert store.admit([Arrival(notice("1"), b"token")], lambda _subject: True, NOW) == ["replayed"]
    assert {table: ask(file, f"SELECT {had[table]} FROM {table}") for table in before} == before
    assert ask(file, "PRAGMA user_version") == [(SCHEMA.version,)]
    known = layout(file)
    assert {name: sql.replace("IF NOT EXISTS ", "") for name, sql in known.items()} == layout(present)


def test_a_migration_that_fails_leaves_the_file_as_it_was(file: Path) -> None:
    old(file, "CREATE TABLE hr_tokens (in_the_way)", "INSERT INTO hr_tokens VALUES ('still here')")
    with pytest.raises(FatalError, match="toe"):
        open_database(file)
    assert ask(file, "PRAGMA user_version") == [(0,)]
    assert layout(file) == {"hr_tokens": "CREATE TABLE hr_tokens (in_the_way)"}
    assert ask(file, "SELECT * FROM hr_tokens") == [("still here",)]


def test_the_file_of_a_newer_program_is_refused_by_who_writes_and_who_reads(file: Path) -> None:
    open_database(file).close()
    old(file, f"PRAGMA user_version = {SCHEMA.version + 1}")
    for opener in (RevocationJournal, Store, lambda path: progress(path, "C000001")):
        with pytest.raises(
            RefusedError, match=rf"runtime.schema-newer.*offboard.database.*stored={SCHEMA.version + 1}"
        ) as refused:
            opener(file)
        assert "结构版本" in zh(refused.value.text)
        assert refused.value.hint


def _open(file: Path) -> None:
    open_database(file).close()


def test_several_processes_open_a_new_file_at_once(file: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_open, args=(file,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert ask(file, "SELECT count(*) FROM _sqlite_migrations") == [(SCHEMA.version,)]


def test_a_second_connection_of_a_process_takes_no_lock_from_the_first(tmp_path: Path) -> None:
    """Else whoever closes the file last, as they think, deletes the log from under a connection that reads on."""
    file = tmp_path / "offboard.db"
    with closing(open_database(file)) as first, closing(open_database(file)):
        first.execute("SELECT COUNT(*) FROM runs").fetchone()
        other = (
            "import sqlite3, sys\n"
            "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "db.execute(\"INSERT INTO hr_floors VALUES ('E1', 1)\")\n"
            "db.close()\n"
        )
        subprocess.run([sys.executable, "-c", other, str(file)], check=True)
        assert (tmp_path / "offboard.db-wal").exists()
        subprocess.run([sys.executable, "-c", other.replace("E1", "E2"), str(file)], check=True)
        assert first.execute("SELECT COUNT(*) FROM hr_floors").fetchone() == (2,)
