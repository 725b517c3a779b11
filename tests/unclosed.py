"""Connections to SQLite that nobody closed, found on every Python: since 3.13 the standard library warns of them.

Rules of this file: the warning is what 3.13 gives, so that a test fails in the same way. Only this process is looked
at; what the processes of the agent leave open is seen by the long tests, on 3.13.
"""

import sqlite3
import sys
import warnings
from typing import Any


class WatchedConnection(sqlite3.Connection):
    """A connection that says so when it is let go of while it is open."""

    _open = False  # one that could not be made holds nothing

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._open = True

    def close(self) -> None:
        super().close()
        self._open = False

    def __del__(self) -> None:
        if self._open:
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, source=self, stacklevel=1)


def watch() -> None:
    """From here on, look at every connection that this process opens."""
    if sys.version_info >= (3, 13):
        return
    connect = sqlite3.connect

    def watched(*words: Any, **named: Any) -> sqlite3.Connection:
        return connect(*words, **{"factory": WatchedConnection, **named})

    sqlite3.connect = watched  # type: ignore[assignment]
