"""A real registry in a real file for every test."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.store import Registry
from rules.model import Clearance, Level

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "registry.db"
    migrate(file)
    return file


@pytest.fixture
def registry(path: Path) -> Iterator[Registry]:
    with Registry(path) as opened:
        yield opened


@pytest.fixture
def reader(path: Path) -> Iterator[FactsReader]:
    with FactsReader(path) as opened:
        yield opened


@pytest.fixture
def lists(path: Path) -> Iterator[RegistryQueries]:
    with RegistryQueries(path) as opened:
        yield opened


@pytest.fixture
def site(registry: Registry) -> Registry:
    """Two people, an area and a room: epoch 1."""
    with registry.change(NOW) as change:
        change.people.add("E1", name="张三", department="research", clearances=[Clearance("state", Level.SECRET)])
        change.people.add("E2", name="李四")
        change.accounts.add(61001, "E1")
        change.badges.add("4660", "E1")
        change.areas.add("plans", path="/srv/vol/plans", level=Level.SECRET, domain="state")
        change.rooms.add("vault", level=Level.TOP_SECRET, domain="state")
        change.services.add("backup", uid=0, executable="/usr/bin/tar", areas=["plans"])
    return registry
