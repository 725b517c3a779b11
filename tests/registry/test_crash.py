"""SIGKILL at the two instants that matter: before the commit everything is lost, after it nothing is."""

import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import FatalError
from agent.registry.facts import FactsReader
from agent.registry.store import Registry

_CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from agent.registry.store import Registry
registry = Registry(Path(sys.argv[1]))
with registry.change(datetime(2026, 11, 2, tzinfo=UTC)) as change:
    change.people.add("E9", name="张三")
    change.accounts.add(61009, "E9")
    for count in range(2_000):  # more than the page cache keeps: uncommitted pages reach the WAL
        change.people.add(f"P{count}", name="x" * 1_900)
    if sys.argv[2] == "after":
        change.commit()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path: Path, when: str) -> None:
    child = subprocess.run([sys.executable, "-c", _CHILD, path, when], check=False)
    assert child.returncode == -signal.SIGKILL


def test_killed_between_apply_and_commit_loses_the_whole_change(site: Registry, path: Path, now: datetime) -> None:
    site.close()
    killed(path, "before")
    assert path.with_name("registry.db-wal").stat().st_size > 1_000_000
    with Registry(path) as registry, FactsReader(path) as reader:
        assert reader.epoch() == 1
        assert set(reader.facts(["E1", "E9"], "plans")[1].persons) == {"E1"}
        assert reader.accounts() == {61001: "E1"}
        with registry.change(now) as change:
            assert change.epoch == 2


def test_killed_right_after_commit_loses_nothing(site: Registry, path: Path, now: datetime) -> None:
    site.close()
    killed(path, "after")
    with FactsReader(path) as reader:  # a reader may be the first to come back
        assert reader.epoch() == 2
        assert set(reader.facts(["E1", "E9"], "plans")[1].persons) == {"E1", "E9"}
        assert reader.accounts() == {61001: "E1", 61009: "E9"}
    with Registry(path) as registry, registry.change(now) as change:
        assert change.epoch == 3


_FAILING = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from agent.errors import FatalError
from agent.registry.store import Registry
now = datetime(2026, 11, 2, tzinfo=UTC)
registry = Registry(Path(sys.argv[1]))
with registry.change(now) as change:
    change.people.add("E8")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = Path(sys.argv[1] + "-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # the next frame of the WAL cannot be written
for attempt in ("E9", "E10"):
    try:
        with registry.change(now) as change:
            change.people.add(attempt)
    except FatalError as error:
        print(attempt, error.text.code)
"""


def test_a_write_error_at_commit_stops_the_writer_for_good(site: Registry, path: Path) -> None:
    site.close()
    child = subprocess.run([sys.executable, "-c", _FAILING, path], capture_output=True, text=True, check=False)
    said = "registry.registry-disk-error"
    assert child.stdout.splitlines() == [f"E9 {said}", f"E10 {said}"], child.stderr
    with FactsReader(path) as reader:
        assert reader.epoch() == 2
        assert set(reader.facts(["E1", "E8", "E9", "E10"], "plans")[1].persons) == {"E1", "E8"}


def test_after_an_unknown_outcome_every_later_change_says_the_same(registry: Registry, now: datetime) -> None:
    registry._connection.execute("DROP TABLE holidays")
    with pytest.raises(FatalError) as first, registry.change(now) as change:
        change.holidays.add(now.date())
    with pytest.raises(FatalError) as second, registry.change(now) as change:
        change.people.add("E1")
    assert second.value is first.value
