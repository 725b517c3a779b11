"""The file: how it comes to be, how it grows, and that a half-made one is never seen."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import FatalError, RefusedError
from agent.registry import connect
from agent.registry.facts import FactsReader
from agent.registry.migrations import create, migrate
from agent.registry.schema.versions import SCHEMA
from agent.registry.store import Registry


def ask(path: Path, question: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


def an_older_one(path: Path, *statements: str) -> None:
    """A registry from before the first migration."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in (f"PRAGMA application_id = {connect.APPLICATION}", *statements):
            connection.execute(statement)
        connection.commit()


def test_a_new_registry_is_whole_private_and_in_wal(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert ask(path, "PRAGMA user_version") == SCHEMA.version
    assert ask(path, "PRAGMA application_id") == connect.APPLICATION
    assert ask(path, "PRAGMA journal_mode") == "wal"
    assert [file.name for file in path.parent.iterdir()] == ["registry.db"]


def test_its_wal_is_private_too(registry: Registry, path: Path) -> None:
    assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {
        "registry.db": 0o600,
        "registry.db-wal": 0o600,
        "registry.db-shm": 0o600,
    }


def test_writing_is_durable_against_power_loss_and_checks_references(registry: Registry) -> None:
    assert registry._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert registry._connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_migrating_again_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before


def test_an_older_registry_is_brought_up_to_date_when_the_writer_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    an_older_one(path, "CREATE TABLE kept (word)", "INSERT INTO kept VALUES ('still here')")
    with pytest.raises(RefusedError, match=r"registry.registry-older-schema"):
        FactsReader(path)
    with Registry(path), FactsReader(path) as reader:
        assert reader.epoch() == 0
    assert ask(path, "SELECT word FROM kept") == "still here"


def test_a_migration_that_fails_leaves_the_registry_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    an_older_one(path, "CREATE TABLE departures (in_the_way)")  # the last table of the first migration
    with pytest.raises(FatalError):
        migrate(path)
    assert ask(path, "PRAGMA user_version") == 0
    assert ask(path, "SELECT group_concat(name) FROM sqlite_schema") == "departures"


def test_an_attempt_that_was_killed_is_no_obstacle_and_no_registry(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    (tmp_path / "registry.db.new").write_bytes(b"half of one")
    with pytest.raises(RefusedError, match=r"registry.registry-not-found"):
        Registry(path)
    migrate(path)
    assert [file.name for file in tmp_path.iterdir()] == ["registry.db"]


def test_making_one_never_replaces_another(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"registry.registry-not-created"):
        create(path)
    assert path.read_bytes() == before


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"nowhere.*No such file"):
        create(tmp_path / "nowhere" / "registry.db")


def test_the_writer_runs_no_plugin_of_another_package(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from agent.registry.store import Registry; from agent.registry.migrations import migrate;"
        "p = pathlib.Path(sys.argv[1]); migrate(p); Registry(p).close();"
        "import sqlite_utils.plugins; print(sqlite_utils.plugins._plugins_loaded)"
    )
    said = subprocess.run([sys.executable, "-c", code, tmp_path / "r.db"], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
