"""Reader of the growing log files: an entry is written before the access it records happens."""

import json
from pathlib import Path

from agent.demo.site import Entry
from agent.log import segments


class LogPosition:
    """A position in the log; :meth:`fresh` returns the entries after it and advances."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cursor = segments.ORIGIN

    def fresh(self) -> list[Entry]:
        """Return the entries written since the last call, oldest first."""
        entries: list[Entry] = []
        while (chunk := segments.read(self._folder, self._cursor)).lines:
            self._cursor = chunk.end
            entries += map(json.loads, chunk.lines)
        return entries
