"""What goes wrong around the agent: a full disk, damage, a wrong clock.

Each is a deny that says so, an entry wherever one can be written, and an agent that is well again afterwards.
"""

import contextlib
import os
import select
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import attempt, reading
from agent.log.append import Appender
from agent.log.entry import render, stamp
from agent.simulator import volume_image
from tests.enforcement import syscalls
from tests.enforcement.scene import (
    BYSTANDER,
    CLEARED,
    SIZE,
    TOO_LOW,
    UNKNOWN,
    Area,
    Scene,
    error_of,
    scene,
    until,
)
from tests.sentences import en

HEARTBEAT = 4.0

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-trouble")]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("brief")), settings=(f"heartbeat_seconds = {HEARTBEAT}",)) as made:
        yield made


def healed(site: Scene) -> bool:
    return attempt(CLEARED, reading(site.plans / "doc.txt")).allowed


# The log.


@pytest.fixture
def small_log(site: Scene) -> Iterator[Path]:
    """The log on a little disk of its own; yields that disk. Afterwards the log is where it was, and whole."""
    log = site.site.home.log
    with volume_image.volume(size=4 << 20) as disk:
        site.site.stop()
        folder = disk.point / "log"
        shutil.copytree(log, folder)
        folder.chmod(0o700)
        syscalls.mount(str(folder), str(log), flags=syscalls.MS_BIND)
        try:
            site.site.start()
            yield disk.point
        finally:
            site.site.stop()
            syscalls.unmount(str(log))
            shutil.copytree(folder, log, dirs_exist_ok=True)
    site.site.start()


def fill(disk: Path) -> Path:
    """Write until there is no room for another byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 16, 1 << 10, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast


def test_without_room_for_its_entry_no_open_is_allowed(site: Scene, small_log: Path) -> None:
    path = site.plans / "doc.txt"
    assert healed(site)
    ballast = fill(small_log)

    def opening(times: int) -> Callable[[], list[str]]:
        return lambda: [error_of(lambda: os.close(os.open(path, os.O_RDONLY))) for _ in range(times)]

    def accesses() -> list[dict[str, Any]]:
        found = site.site.entries()
        return [
            entry for entry in found if entry["kind"] == "access"
        ]  # a gap needs less room, and an alarm has its own

    def nothing_fits() -> bool:
        before = len(accesses())
        return attempt(CLEARED, opening(3)).value == ["EPERM"] * 3 and len(accesses()) == before

    until(nothing_fits)  # the last block of the segment had some room left, and a gap needs less than an open
    recorded, told = len(site.site.entries()), len(accesses())
    assert set(attempt(CLEARED, opening(50)).value) == {"EPERM"}
    assert attempt(TOO_LOW, reading(path)).error == "EPERM"
    assert attempt(UNKNOWN, reading(site.public / "doc.txt")).value == SIZE  # nothing to be recorded there
    assert len(accesses()) == told
    # What takes access away has room that is kept for it.
    assert site.site.shoumi("hold", "add", "E3", "--reason", "x", check=False).returncode == 0
    assert [row["person"] for row in site.ask("hold.list")] == ["E3"]
    assert attempt(CLEARED, reading(path)).error == "EPERM"

    ballast.unlink()
    site.site.shoumi("hold", "lift", "E3", "--reason", "x")
    assert attempt(CLEARED, reading(path)).value == SIZE
    gaps = [entry for entry in site.site.entries()[recorded:] if entry["kind"] == "gap"]
    assert sum(gap["count"] for gap in gaps) >= 52
    assert all(gap["since"] <= gap["time"] for gap in gaps)
    assert site.site.shoumi("log", "verify").returncode == 0


def test_a_decider_that_starts_on_a_full_disk_denies_until_there_is_room(site: Scene, small_log: Path) -> None:
    ballast = fill(small_log)
    until(lambda: not healed(site))  # the last block of the segment had some room left
    site.replace_decider()
    until(lambda: attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM")
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
    ballast.unlink()
    until(lambda: healed(site))


# What it decides by.


@contextmanager
def damaged(path: Path, content: bytes) -> Iterator[None]:
    """Overwrite *path*, in place, for the block."""
    before = path.read_bytes()
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    try:
        yield
    finally:
        with path.open("r+b") as file:
            file.write(before)
            file.truncate()


def error_entry(site: Scene) -> dict[str, Any]:
    """Try as somebody cleared, who is refused each time, until a decider says why not; return what it first said.

    While one starts, the holder may refuse in its place, which writes nothing down.
    """

    def told() -> list[dict[str, Any]]:
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
        return [entry for entry in site.denials(CLEARED) if entry["rule"] == "error"]

    until(told)
    return told()[0]


def test_a_damaged_registry_denies_everything_and_says_so_until_it_is_restored(site: Scene) -> None:
    registry = site.site.home.registry
    with closing(sqlite3.connect(registry)) as db:
        until(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)  # nobody reads at that moment
    with damaged(registry, b"garbage!" * (registry.stat().st_size // 8)):
        site.replace_decider()
        for who in (CLEARED, TOO_LOW):
            assert attempt(who, reading(site.plans / "doc.txt")).error == "EPERM"
        assert attempt(CLEARED, reading(site.public / "doc.txt")).error == "EPERM"  # who can tell now where areas are?
        assert "registry" in en(error_entry(site)["reason"])
    until(lambda: healed(site))
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error == "EPERM"
    assert attempt(UNKNOWN, reading(site.public / "doc.txt")).allowed
    until(site.answers)


def test_another_registry_in_its_place_is_noticed_while_running(site: Scene) -> None:
    registry = site.site.home.registry
    other = registry.with_suffix(".other")
    other.write_bytes(b"not a database at all" * 1000)
    kept = registry.with_suffix(".kept")
    os.link(registry, kept)
    os.replace(other, registry)
    try:
        until(lambda: attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM")
        assert error_entry(site)
    finally:
        os.replace(kept, registry)
    until(lambda: healed(site))
    until(site.answers)


def test_a_malformed_pack_denies_everything_and_says_so_until_it_is_restored(site: Scene) -> None:
    with damaged(site.site.home.pack, b"[level\nthis is no TOML \xff"):
        site.replace_decider()
        assert "rules" in en(error_entry(site)["reason"])
    until(lambda: healed(site))


def test_a_clock_set_back_brings_no_ended_grant_to_life(site: Scene) -> None:
    """The machine's clock is never touched: an entry that is later than the clock, and no file of it, say the same."""
    end = datetime.now(UTC) + timedelta(minutes=30)
    with site.asking() as agent:
        agent.call("grant.end", grant="E3", area="brief", reason="x")
        agent.call("grant.add", person="E3", area="brief", reason="x", until=end.isoformat())
    brief = site.site.root / "brief" / "doc.txt"
    assert attempt(BYSTANDER, reading(brief)).allowed
    site.site.stop()
    site.site.home.clock.unlink()
    with Appender(site.site.home.log, "power") as log:
        log.append([render(log.next_seq, stamp(end + timedelta(minutes=30)), {"host": "test", "kind": "test"})])
    site.site.start()
    assert attempt(BYSTANDER, reading(brief)).error == "EPERM"
    assert healed(site)
    [denied] = site.denials(BYSTANDER)
    assert denied["judged"] > end.isoformat() > denied["time"]  # stamped with the clock as it is
    clock, *_ = (entry for entry in site.news() if entry["kind"] == "clock")
    assert -4000 < clock["offset"] < -3000
    assert clock["accepted"] is False
    assert site.stats()["clock_behind"] > 3000
    assert "was set back" in site.site.shoumi("status").stdout
    decider = os.pidfd_open(site.site.process("decider"))
    try:  # a loop that went by the wall clock would miss its heartbeat and be killed
        assert not select.select([decider], [], [], 1.5 * HEARTBEAT)[0]
    finally:
        os.close(decider)
    site.replace_decider()
    assert attempt(BYSTANDER, reading(brief)).error == "EPERM"  # its successor knows it, too

    site.site.shoumi("clock", "accept", "--reason", "the entry was the test's")
    assert attempt(BYSTANDER, reading(brief)).allowed  # the grant has not ended after all
    assert [entry["accepted"] for entry in site.news() if entry["kind"] == "clock"][-1] == "officer"
    assert site.stats()["clock_behind"] < 1
    assert "set back" not in site.site.shoumi("status").stdout


def test_the_guard_tells_how_long_the_opens_of_the_last_minute_took(site: Scene) -> None:
    before = site.stats()["opens"]["count"]
    for _ in range(20):
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).allowed
    opens = site.stats()["opens"]
    assert opens["count"] >= before + 20
    assert 0 < opens["p50_us"] <= opens["p99_us"]
