"""Where the shipped packs and tables are read for these tests: the core itself reads no file."""

from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "rules"


@pytest.fixture(scope="session")
def clauses_text() -> str:
    return (RULES / "clauses.csv").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def duties_text() -> str:
    return (RULES / "duties.csv").read_text(encoding="utf-8")
