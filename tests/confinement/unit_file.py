"""A unit file read as systemd reads it, as far as the units of the product use it.

Rules of this file: it reads; a list given twice is one list, an empty value empties it, ``~`` in front of a list makes
it one of what is denied. Groups of calls (``@mount``) are opened by ``systemd-analyze syscall-filter``. Sources:
systemd.exec(5), systemd.syntax(7).
"""

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

MAIN, DOORS = ROOT / "docs" / "shoumi.service", ROOT / "docs" / "shoumi-doors.service"


class Unit:
    """The settings of ``[Service]``, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = tuple(_service(path.read_text(encoding="utf-8")))

    def last(self, name: str) -> str:
        """Return the value that counts of a setting with one value; empty when it is not there."""
        return next((value for key, value in reversed(self.lines) if key == name), "")

    def words(self, name: str) -> frozenset[str]:
        """Return the words of a setting that is a list."""
        found: set[str] = set()
        for value in (value for key, value in self.lines if key == name):
            found = found | set(value.split()) if value else set()
        return frozenset(found)

    def calls(self) -> tuple[bool, frozenset[str]]:
        """Return ``SystemCallFilter=``: whether it lists what is allowed, and the calls it lists.

        What a later line takes back is not listed.
        """
        values = [value for key, value in self.lines if key == "SystemCallFilter"]
        allows, listed = not values[0].startswith("~"), set[str]()
        for value in values:
            calls = {call for word in value.removeprefix("~").split() for call in _opened(word)}
            listed = listed - calls if value.startswith("~") == allows else listed | calls
        return allows, frozenset(listed)


def _service(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


@functools.cache
def _opened(word: str) -> frozenset[str]:
    if not word.startswith("@"):
        return frozenset({word})
    command = ["systemd-analyze", "--no-pager", "syscall-filter", word]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [line.strip() for line in said.splitlines() if line.startswith("    ") and not line.strip().startswith("#")]
    assert found, word
    return frozenset(call for name in found for call in _opened(name))
