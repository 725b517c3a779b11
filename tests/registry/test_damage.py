"""A registry that cannot be trusted gets an error in both languages, never an empty answer."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import FatalError, RefusedError
from agent.registry import connect
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.schema.versions import SCHEMA
from agent.registry.store import Registry
from tests.sentences import en, zh

EVERYBODY: list[Callable[[Path], object]] = [FactsReader, RegistryQueries, Registry]


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 3])


def garbage(path: Path) -> None:
    path.write_bytes(b"\x1b]0;owned\x07" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def another_database(path: Path) -> None:
    path.unlink()
    alter(path, "CREATE TABLE people (id)")


def newer(path: Path) -> None:
    alter(path, f"PRAGMA user_version = {SCHEMA.version + 1}")


def missing(path: Path) -> None:
    path.unlink()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT: dict[str, tuple[Callable[[Path], None], type[FatalError | RefusedError], str]] = {
    "truncated": (truncate, FatalError, "malformed"),
    "garbage": (garbage, FatalError, "not a database"),
    "empty": (empty, FatalError, r"registry.registry-damaged.*registry.not-a-registry"),
    "another database": (another_database, FatalError, r"registry.registry-damaged.*registry.not-a-registry"),
    "newer": (newer, RefusedError, rf"runtime.schema-newer.*{SCHEMA.version + 1}"),
    "missing": (missing, RefusedError, r"registry.registry-not-found"),
}


@pytest.mark.parametrize("opener", EVERYBODY)
@pytest.mark.parametrize(("spoil", "error", "said"), SPOILT.values(), ids=SPOILT.keys())
def test_nobody_opens_it(
    site: Registry,
    path: Path,
    opener: Callable[[Path], object],
    spoil: Callable[[Path], None],
    error: type[FatalError | RefusedError],
    said: str,
) -> None:
    site.close()
    spoil(path)
    with pytest.raises(error, match=said) as raised:
        opener(path)
    assert all(say(raised.value.text).isprintable() for say in (en, zh))
    if isinstance(raised.value, RefusedError):
        assert raised.value.hint


@pytest.mark.parametrize("opener", EVERYBODY)
def test_nobody_opens_a_directory(site: Registry, path: Path, opener: Callable[[Path], object]) -> None:
    site.close()
    a_directory(path)
    with pytest.raises((RefusedError, FatalError), match=r"registry.registry-unusable"):
        opener(path)


def test_opening_never_makes_a_file(tmp_path: Path) -> None:
    for opener in EVERYBODY:
        with pytest.raises(RefusedError, match=r"registry.registry-not-found"):
            opener(tmp_path / "registry.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE holds",
        "DELETE FROM epoch",
        "UPDATE people SET employment = 'king'",
        "UPDATE people SET post_changed_at = 'yesterday'",
        "UPDATE people SET name = CAST(x'ff' AS TEXT)",
        "UPDATE resources SET secret_until = '2026-01-01'",
        "DELETE FROM rooms",
        "INSERT INTO holidays VALUES ('some day', '')",
    ],
)
def test_an_open_reader_says_so_instead_of_answering(
    site: Registry, reader: FactsReader, path: Path, statement: str
) -> None:
    for resource in ("plans", "vault"):
        assert reader.facts(["E1"], resource)[1].persons
    alter(path, statement)
    with pytest.raises(FatalError, match=r"registry.registry-damaged"):
        [reader.facts(["E1"], resource) for resource in ("plans", "vault")]


@pytest.mark.parametrize("statement", ["UPDATE areas SET volume = '[]'", "UPDATE areas SET volume = '{'"])
def test_an_area_with_a_spoilt_volume_is_not_skipped(
    site: Registry, reader: FactsReader, path: Path, statement: str
) -> None:
    alter(path, statement)
    with pytest.raises(FatalError, match=r"registry.registry-damaged"):
        reader.areas()


def test_an_area_without_its_place_is_not_skipped(site: Registry, reader: FactsReader, path: Path) -> None:
    alter(path, "DELETE FROM areas")
    with pytest.raises(FatalError, match=r"registry.registry-damaged"):
        reader.areas()


@pytest.mark.parametrize("tree", ["people", "records_of_person", "holidays"])
def test_a_page_that_was_overwritten_is_found_when_the_writer_opens(site: Registry, path: Path, tree: str) -> None:
    site.close()
    with closing(sqlite3.connect(path)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (tree,)).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(FatalError, match=r"registry.registry-damaged"):
        Registry(path)


def test_a_reference_to_nothing_is_found_when_the_writer_opens(site: Registry, path: Path) -> None:
    alter(path, "DELETE FROM people WHERE id = 'E1'")
    with pytest.raises(FatalError, match=r"registry.registry-damaged.*registry.dangling-reference"):
        Registry(path)


@pytest.mark.parametrize("replace", [missing, another_database])
def test_a_file_that_was_replaced_under_an_open_reader_is_noticed(
    site: Registry, reader: FactsReader, path: Path, replace: Callable[[Path], None]
) -> None:
    reader.changed()
    replace(path)
    with pytest.raises(FatalError, match=r"registry.registry-damaged.*(No such file|registry.file-replaced)"):
        reader.changed()


def test_a_reader_that_is_locked_out_says_busy_and_recovers(site: Registry, path: Path, now: datetime) -> None:
    site.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")  # the one mode in which a writer keeps readers out
        with FactsReader(path) as reader:
            reader._connection.execute("PRAGMA busy_timeout = 50")
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(RefusedError, match=r"registry.registry-busy"):
                reader.facts(["E1"], "plans")
            other.execute("ROLLBACK")
            assert reader.facts(["E1"], "plans")[1].persons


def test_a_library_that_cannot_read_the_tables_is_not_taken_for_a_damaged_file() -> None:
    connect.check_library(sqlite3.sqlite_version_info)
    with pytest.raises(RefusedError, match=r"registry.sqlite-too-old") as refused:
        connect.check_library((3, 34, 1))
    assert en(refused.value.text) == "the SQLite library is 3.34.1; the registry needs 3.37 or later"
