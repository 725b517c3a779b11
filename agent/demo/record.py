"""The log as it grows, read from the record itself: an entry is there before the access it stands for happens."""

import json
from pathlib import Path

from agent.demo.site import Entry
from agent.log import segments


class LogPosition:
    """A place in the log; :meth:`fresh` returns what is behind it and moves on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cursor = segments.ORIGIN

    def fresh(self) -> list[Entry]:
        """Return the entries written since the last call, oldest first."""
        found: list[Entry] = []
        while (chunk := segments.read(self._folder, self._cursor)).lines:
            self._cursor = chunk.end
            found += map(json.loads, chunk.lines)
        return found
