"""Where the shipped packs and tables are read for these tests: the core itself reads no file."""

import pytest

from tests import ROOT

RULES = ROOT / "rules"


@pytest.fixture(scope="session")
def clauses_text() -> str:
    return (RULES / "clauses.csv").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def duties_text() -> str:
    return (RULES / "duties.csv").read_text(encoding="utf-8")
