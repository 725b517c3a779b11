"""Accounts that nobody has, and a journal, for each test that asks."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.offboard.journal import RevocationJournal
from tests.offboard.host import unused_uid


@pytest.fixture
def uid() -> Iterator[int]:
    with unused_uid() as found:
        yield found


@pytest.fixture
def other() -> Iterator[int]:
    with unused_uid() as found:
        yield found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[RevocationJournal]:
    with closing(RevocationJournal(tmp_path / "offboard.db")) as found:
        yield found
