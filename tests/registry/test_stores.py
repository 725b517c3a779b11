"""Registry, log and intent as files: killed and restored in any order, older is said when it is so and never else."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import FatalError
from agent.log.append import Appender
from agent.log.entry import render, stamp
from agent.registry import intent, stores
from agent.registry.facts import FactsReader
from agent.registry.lineage import StoreRelation
from agent.registry.migrations import create
from agent.registry.store import Registry
from agent.runtime.home import Home

_AT = datetime(2026, 11, 2, tzinfo=UTC)


class Killed(Exception):  # noqa: N818 - it is what it is
    """The agent was killed here."""


class House:
    """One home as the agent keeps it; what it does is done in the order in which the agent does it."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.home.create()
        create(self.home.registry)
        self.intent = intent.WriteAheadIntent(self.home.intent)
        self.copies: list[Path] = []
        self.logs: list[Path] = []
        self.given: dict[str, list[object]] = {}  # what each acceptance has given up
        self.number = 0
        self.open()
        with self.registry.change(_AT):
            pass  # a site has an epoch before it has an entry

    def open(self) -> None:
        self.registry = Registry(self.home.registry)
        self.log = Appender(self.home.log, "process", segment_bytes=2_000)
        self.reader = FactsReader(self.home.registry)

    def shut(self) -> None:
        self.registry.close()
        self.log.close()
        self.reader.close()

    def append(self, **fields: object) -> int:
        seq = self.log.next_seq
        self.log.append([render(seq, stamp(_AT), fields)])
        return seq

    def opens(self) -> None:
        """Record accesses under the epoch in force, as the decider does: under what is proven, while it is older."""
        now = self.look()
        for _ in range(3):
            self.append(kind="access", epoch=max(self.reader.epoch(), now.proven), path="/srv/x")

    def act(self, die: str = "") -> None:
        """Do an act, and be killed after the step *die*."""
        self.start()
        if self.look().older:
            return
        self.number += 1
        with self.registry.change(_AT) as change:
            fields = {"kind": "act", "act": "hold.add", "outcome": "done", "epoch": change.epoch}
            fields |= {"change": f"c{self.number}"}
            self.intent.note({**fields, "after": self.log.next_seq - 1})
            if die == "note":
                raise Killed
            seq = self.append(**fields)
            if die == "append":
                raise Killed
            change.recorded.add(seq, str(fields["change"]))
        if die != "commit":
            self.intent.clear()

    def dies(self, die: str) -> None:
        with suppress(Killed):
            self.act(die)

    def start(self) -> None:
        """Settle, as a start does."""
        now = self.look()
        if now.unfinished:
            self.append(**{**now.unfinished, "outcome": "not-completed"})
        if now.unfinished or not now.older:
            self.intent.clear()
        if now.log_short:
            self.number += 1
            seq = self.append(kind="log-older", epoch=self.reader.epoch(), change=f"c{self.number}")
            with self.registry.note(_AT) as note:
                note.recorded.forget_after(now.since)
                note.recorded.add(seq, f"c{self.number}")
        if not now.older:
            self.append(kind="start", epoch=self.reader.epoch())

    def look(self) -> StoreRelation:
        return stores.look(self.reader, self.home)

    def accept(self) -> None:
        now = self.look()
        if not now.older:
            return
        self.number += 1
        with self.registry.change(_AT) as change:
            change.lift_epoch(now.highest)
            change.recorded.forget_after(now.since)
            name = f"c{self.number}"
            fields = {"kind": "act", "act": "registry.accept", "outcome": "done", "epoch": change.epoch, "change": name}
            self.intent.note({**fields, "after": self.log.next_seq - 1})
            self.given[name] = self.lost()
            change.recorded.add(self.append(**fields), name)
        self.intent.clear()

    def save(self) -> None:
        copy = self.home.root / f"copy{len(self.copies)}.db"
        with closing(sqlite3.connect(self.home.registry)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        self.copies.append(copy)
        self.logs.append(Path(shutil.copytree(self.home.log, self.home.root / f"log{len(self.logs)}")))

    def restore(self, which: int, what: str) -> None:
        if not self.copies:
            return
        which %= len(self.copies)
        self.shut()
        if "registry" in what:
            shutil.copy(self.copies[which], self.home.registry)
        if "log" in what:
            shutil.rmtree(self.home.log)
            shutil.copytree(self.logs[which], self.home.log)
        self.open()

    def entries(self) -> list[dict[str, Any]]:
        files = sorted(self.home.log.glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    def lost(self) -> list[object]:
        """Return which acts the log holds, and the registry neither holds nor has given up: without any cleverness."""
        acts = [entry for entry in self.entries() if entry["kind"] == "act"]
        undone = [entry["change"] for entry in acts if entry["outcome"] == "not-completed"]
        kept = {row.change for row in self.reader.recorded_changes()}
        given_up = {change for accepted in kept & self.given.keys() for change in self.given[accepted]}
        done = [entry["change"] for entry in acts if entry["outcome"] == "done"]
        return [change for change in done if change not in kept and change not in undone and change not in given_up]

    def decided_later(self) -> bool:
        """Whether something was recorded under an epoch that the registry has not reached."""
        found = [entry["epoch"] for entry in self.entries() if entry["kind"] != "act"]
        return max(found, default=0) > self.reader.epoch()


@contextmanager
def housed() -> Iterator[House]:
    with tempfile.TemporaryDirectory() as root:
        house = House(Path(root))
        try:
            yield house
        finally:
            house.shut()
            house.intent.close()


@pytest.fixture
def house() -> Iterator[House]:
    with housed() as made:
        yield made


_STEPS = st.one_of(
    st.just(("act", "")),
    st.tuples(st.just("dies"), st.sampled_from(["note", "append", "commit"])),
    st.just(("opens",)),
    st.just(("start",)),
    st.just(("save",)),
    st.just(("accept",)),
    st.tuples(st.just("restore"), st.integers(0, 3), st.sampled_from(["registry", "log", "registry and log"])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STEPS, max_size=14))
def test_older_is_said_when_the_log_holds_an_act_that_the_registry_lacks_and_never_else(
    steps: list[tuple[object, ...]],
) -> None:
    with housed() as house, patch.object(stores, "_MARGIN", 0):
        for name, *args in steps:
            getattr(house, str(name))(*args)
            now, lost = house.look(), house.lost()
            noted = intent.noted(house.home.intent) or {}
            under_way = [noted.get("change")] if now.unfinished else []
            if now.unfinished:
                assert lost[-1:] == under_way
            missing = [change for change in lost if change not in under_way]
            assert now.older == (bool(missing) or house.decided_later()), (now, lost)


def test_a_write_ahead_log_of_a_newer_registry_is_never_taken_for_its_own(house: House) -> None:
    house.act()
    house.save()
    house.shut()
    house.open()  # folds, and begins another write-ahead log
    house.act()
    wal = house.home.registry.with_name("registry.db-wal")
    newer = wal.read_bytes()
    assert newer
    house.shut()
    shutil.copy(house.copies[0], house.home.registry)
    wal.write_bytes(newer)
    for opened in (Registry, FactsReader):
        with pytest.raises(FatalError, match=r"registry.registry-damaged.*registry.write-ahead-log-of-newer-copy"):
            opened(house.home.registry)
    wal.unlink()
    house.open()  # nobody has folded the two together
    assert house.look().older


def test_a_registry_is_whole_in_its_file_alone_once_it_is_closed(house: House) -> None:
    house.act()
    wal = house.home.registry.with_name("registry.db-wal")
    assert wal.stat().st_size
    house.registry.close()  # a reader is still there, as the decider is
    assert wal.stat().st_size == 0
    house.registry = Registry(house.home.registry)


def test_a_copy_without_its_write_ahead_log_is_older(house: House) -> None:
    house.act()
    copy = house.home.root / "plain.db"
    shutil.copy(house.home.registry, copy)
    house.copies.append(copy)
    house.act()
    house.restore(0, "registry")
    assert house.look().older


def test_a_registry_restored_from_another_direction_is_seen_though_its_epoch_is_higher(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_MARGIN", 0)
    house.act()
    house.save()
    for _ in range(5):
        house.act()
    house.save()
    house.restore(0, "registry and log")
    assert not house.look().older  # both from one moment: nothing tells, and nothing is missing
    house.act()
    house.opens()
    house.restore(1, "registry")
    now = house.look()
    assert now.older
    assert not now.log_short


def test_a_log_that_lost_its_end_closes_nothing_however_long_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_MARGIN", 0)
    monkeypatch.setattr(stores, "_PARTED", 10_000)
    house.act()
    for _ in range(100):
        house.opens()
    house.save()
    house.act()
    house.restore(0, "log")
    for _ in range(2):
        now = house.look()
        assert (now.older, now.log_short) == (False, True)
        house.opens()  # the decider is there before anybody records what has happened
    house.start()
    assert house.look() == StoreRelation(proven=3, highest=3, since=house.log.next_seq - 2)


def test_what_is_asked_each_time_is_one_number_until_it_goes_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = [], stores.look
    monkeypatch.setattr(stores, "look", lambda reader, home: (looks.append(1), look(reader, home))[1])
    checks = stores.StoreCheck(house.home)
    for _ in range(3):
        house.act()
        looks.clear()
        assert not checks.check(house.reader).older
    assert looks == []
    assert checks.check(house.reader, at_least=99).older
    assert checks.now.proven == 99


def test_what_two_readings_say_of_an_act_between_them_is_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [StoreRelation(older=True), StoreRelation(proven=7)]
    monkeypatch.setattr(stores, "look", lambda reader, home: found.pop(0))
    assert not stores.StoreCheck(house.home).look(house.reader).older
    assert found == []


def test_a_long_log_is_read_from_its_end_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.act()
    for _ in range(40):
        lines = [
            render(seq, stamp(_AT), {"kind": "access", "epoch": 2, "path": "/srv/" + "x" * 900})
            for seq in range(house.log.next_seq, house.log.next_seq + 100)
        ]
        house.log.append(lines)
    read = []
    monkeypatch.setattr(stores, "_MARGIN", 10_000)
    monkeypatch.setattr(stores, "_act", lambda seq, line: read.append(seq))
    assert not house.look().older
    assert len(read) < 20
