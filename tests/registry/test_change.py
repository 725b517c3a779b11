"""One change, one transaction, one epoch."""

import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.store import Registry


def test_a_change_of_many_writes_is_one_epoch(registry: Registry, reader: FactsReader, now: datetime) -> None:
    for expected in (1, 2, 3):
        with registry.change(now) as change:
            assert change.epoch == expected
            change.people.add(f"E{expected}")
            change.accounts.add(61000 + expected, f"E{expected}")
        assert reader.epoch() == expected


def test_nobody_sees_a_change_before_its_commit(registry: Registry, reader: FactsReader, now: datetime) -> None:
    assert reader.changed()
    with registry.change(now) as change:
        change.people.add("E1")
        change.accounts.add(61001, "E1")
        assert (reader.epoch(), reader.person_of_uid(61001), reader.changed()) == (0, None, False)
        change.commit()
        assert (reader.epoch(), reader.person_of_uid(61001), reader.changed()) == (1, "E1", True)
    assert not reader.changed()


def test_an_error_in_the_block_undoes_the_change_and_its_epoch(
    registry: Registry, reader: FactsReader, now: datetime
) -> None:
    def a_change_that_cannot_be_logged() -> None:
        with registry.change(now) as change:
            change.people.add("E1")
            raise OSError("the log is full")

    with pytest.raises(OSError, match="the log is full"):
        a_change_that_cannot_be_logged()
    assert reader.epoch() == 0
    assert reader.facts(["E1"], "")[1].persons == {}
    with registry.change(now) as change:
        assert change.epoch == 1


def test_a_rehearsal_leaves_nothing(registry: Registry, reader: FactsReader, now: datetime) -> None:
    with registry.change(now) as change:
        change.people.add("E1")
        change.rollback()
    assert reader.epoch() == 0


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_change_that_has_ended_takes_no_more_writes(registry: Registry, now: datetime, end: str) -> None:
    with registry.change(now) as change:
        getattr(change, end)()
        with pytest.raises(RuntimeError, match="already committed or rolled back"):
            change.people.add("E1")


def test_a_note_writes_what_no_verdict_rests_on_and_a_change_writes_that_too(registry: Registry, now: datetime) -> None:
    def subjects(transaction: object) -> set[str]:
        return {name for name, value in vars(transaction).items() if type(value).__name__.endswith("Repository")}

    with registry.note(now) as note:
        assert subjects(note) == {"alarms", "boards", "presence", "reader_keys", "recorded", "room_states"}
    with registry.change(now) as change:
        assert subjects(note) < subjects(change)


def test_changes_do_not_nest(registry: Registry, now: datetime) -> None:
    with registry.change(now), pytest.raises(RuntimeError, match="do not nest"), registry.change(now):
        pass
    with registry.change(now) as change:
        assert change.epoch == 2


def test_an_attempt_undoes_only_itself(registry: Registry, reader: FactsReader, now: datetime) -> None:
    with registry.change(now) as change:
        change.people.add("E1")
        with pytest.raises(RefusedError), change.attempt():
            change.people.add("E2", projects=["甲", "-"])  # the second project is refused when the person is written
        change.people.add("E3")
    assert set(reader.facts(["E1", "E2", "E3"], "")[1].persons) == {"E1", "E3"}


def test_threads_take_turns(registry: Registry, reader: FactsReader, now: datetime) -> None:
    def add(name: str) -> None:
        for count in range(10):
            with registry.change(now) as change:
                change.people.add(f"{name}{count}")

    threads = [threading.Thread(target=add, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reader.epoch() == 40


def test_a_naive_instant_is_a_programming_error_and_changes_nothing(registry: Registry, reader: FactsReader) -> None:
    with pytest.raises(ValueError, match="time zone"), registry.change(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass
    assert reader.epoch() == 0


def test_a_full_disk_refuses_the_change_and_the_next_one_works(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    connection = site._connection
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own SQLITE_FULL, from its own pager
    with pytest.raises(RefusedError, match=r"registry.registry-disk-full"), site.change(now) as change:
        change.people.add("P0", projects=[f"{count:0128}" for count in range(200)])
    assert reader.epoch() == 1
    connection.execute("PRAGMA max_page_count = 100000")
    with site.change(now) as change:
        change.people.add("P0")
    assert reader.epoch() == 2


def test_another_process_in_the_middle_of_a_change_is_busy_not_broken(path: Path, now: datetime) -> None:
    with Registry(path) as registry, closing(sqlite3.connect(path, isolation_level=None)) as other:
        registry._connection.execute("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RefusedError, match=r"registry.registry-busy"), registry.change(now):
            pass
        other.execute("ROLLBACK")
        with registry.change(now) as change:
            assert change.epoch == 1
