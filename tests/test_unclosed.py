"""A connection that nobody closes is told, on every Python; one that is closed, or was never made, is not."""

import gc
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest


def left() -> None:
    """Open one, and forget it."""
    sqlite3.connect(":memory:")
    gc.collect()


def test_a_connection_that_nobody_closes_is_told() -> None:
    with pytest.warns(ResourceWarning, match="unclosed database"):
        left()


def test_one_that_is_closed_or_was_never_made_is_not(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute("SELECT 1")
        with pytest.raises(sqlite3.OperationalError):
            sqlite3.connect(tmp_path / "nowhere" / "a.db")
        del db
        gc.collect()
    assert not [one for one in said if "unclosed database" in str(one.message)]  # what else is cleaned up is not ours
