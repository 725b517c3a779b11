"""Receipts as an earlier version of the program issued them: they are checked for ever."""

from pathlib import Path

import pytest


@pytest.fixture
def version_1() -> Path:
    """A folder with two receipts of version 1, one of them open, and the key that signed them."""
    return Path(__file__).parent / "version_1"
