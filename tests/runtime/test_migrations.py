"""Migrations of any database: in order, once, all that are missing or none."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.runtime.migrations import upgrade
from agent.runtime.schema import Migration, Schema, version
from rules.text import Text

NAME = Text("box", "盒子")
FIRST = Migration("m001_first", ("CREATE TABLE things (name TEXT) STRICT", "INSERT INTO things VALUES ('kept')"))
SECOND = Migration("m002_second", ("ALTER TABLE things ADD COLUMN size INTEGER",))
ONE, TWO = Schema("box", NAME, (FIRST,)), Schema("box", NAME, (FIRST, SECOND))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        yield opened


def applied(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]


def test_what_is_missing_is_applied_in_order_and_remembered_by_name(path: Path, connection: sqlite3.Connection) -> None:
    assert version(path, connection, TWO) == 0
    upgrade(connection, ONE)
    assert (version(path, connection, TWO), applied(connection)) == (1, ["m001_first"])
    upgrade(connection, TWO)
    assert (version(path, connection, TWO), applied(connection)) == (2, ["m001_first", "m002_second"])
    assert connection.execute("SELECT * FROM things").fetchall() == [("kept", None)]


def test_again_does_nothing(connection: sqlite3.Connection) -> None:
    upgrade(connection, TWO)
    upgrade(connection, TWO)
    assert connection.execute("SELECT name FROM things").fetchall() == [("kept",)]


def test_one_that_fails_takes_those_before_it_back(path: Path, connection: sqlite3.Connection) -> None:
    upgrade(connection, ONE)
    broken = Migration("m003_broken", ("CREATE TABLE more (name TEXT)", "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        upgrade(connection, Schema("box", NAME, (*TWO.migrations, broken)))
    assert not connection.in_transaction
    assert (version(path, connection, TWO), applied(connection)) == (1, ["m001_first"])
    assert connection.execute("SELECT sql FROM sqlite_schema WHERE name IN ('things', 'more')").fetchall() == [
        ("CREATE TABLE things (name TEXT) STRICT",)
    ]


def test_a_newer_file_is_refused_by_its_name(path: Path, connection: sqlite3.Connection) -> None:
    upgrade(connection, TWO)
    with pytest.raises(RefusedError, match=r"runtime.schema-newer.*en='box'.*stored=2, version=1"):
        version(path, connection, ONE)


def test_no_plugin_of_another_package_is_run(connection: sqlite3.Connection) -> None:
    import sqlite_utils.plugins

    upgrade(connection, ONE)
    assert not sqlite_utils.plugins._plugins_loaded  # noqa: SLF001 - the library says it nowhere else
