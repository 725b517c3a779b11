"""The pages people read, and what stands in them: names of the program, and commands in fenced blocks."""

import re
from pathlib import Path

from tests import ROOT

DOCUMENTS = (
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
)
_NAME = re.compile(r"`((?:agent|rules|tests|tui)(?:\.\w+)+(?::[\w.]+)?)`")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def names(page: Path) -> set[str]:
    """Return what is named in backticks with its dots: ``agent.log.verify``, ``agent.daemon:run``."""
    return set(_NAME.findall(page.read_text(encoding="utf-8")))


def commands(page: Path) -> list[str]:
    """Return the commands of the ``sh`` blocks, a line each, without comments."""
    lines = [line for block in _BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    return [command for line in lines if (command := line.partition(" #")[0].strip()) and command[0] != "#"]
